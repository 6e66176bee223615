// commands CASE DIRECTORY: what POSIX and libc promise of system(), popen() and pclose(), to programs with
// threads, with a file open that their children inherit. As hostile.cc.
// NOLINTBEGIN
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

namespace {

std::string directory;

std::string in(const std::string& name) {
  return directory + "/" + name;
}

void need(bool ok, const char* what) {
  if (ok) return;
  const int error = errno;
  dprintf(2, "commands: %s: %s\n", what, strerror(error));
  _exit(1);
}

// A file that is open for writing, for children too: they must be told of it.
void hold_a_file() {
  const int fd = open(in("held").c_str(), O_WRONLY | O_CREAT, 0644);
  need(fd >= 0 && write(fd, "held", 4) == 4, "a file to be inherited");
}

int exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::atomic<bool> done{false};

void* read_environment(void*) {
  size_t found = 0;
  while (!done) found += strlen(getenv("KEPT"));
  return reinterpret_cast<void*>(found);
}

// Another thread reads the environment all the time, as getenv() may.
void environment_is_read() {
  hold_a_file();
  setenv("KEPT", "value", 1);
  pthread_t reader{};
  need(pthread_create(&reader, nullptr, read_environment, nullptr) == 0, "pthread_create");
  for (int i = 0; i < 100; i++) {
    need(system(":") == 0, "system");
    FILE* stream = popen(":", "r");
    need(stream && pclose(stream) == 0, "popen");
  }
  done = true;
  pthread_join(reader, nullptr);
}

void* long_command(void*) {
  return reinterpret_cast<void*>(static_cast<intptr_t>(system("sleep 0.3")));
}

void set_meanwhile(const char* name) {
  pthread_t other{};
  need(pthread_create(&other, nullptr, long_command, nullptr) == 0, "pthread_create");
  usleep(100'000);
  setenv(name, "after", 1);
  pthread_join(other, nullptr);
  need(getenv(name) && strcmp(getenv(name), "after") == 0, name);
}

// What is set while a command runs is there afterwards.
void environment_is_set() {
  hold_a_file();
  setenv("CHANGED", "before", 1);
  set_meanwhile("CHANGED");
  set_meanwhile("NEW");
  need(system("test $CHANGED = after && test $NEW = after") == 0, "the command's environment");
}

std::atomic<int> interrupts{0};
void count(int) {
  interrupts++;
}

void* interrupted_command(void*) {
  need(system("kill -INT $PPID; kill -QUIT $PPID") == 0, "a command that sends signals");
  return nullptr;
}

// Whoever waits ignores SIGINT and SIGQUIT, the command does not; afterwards all is as before.
void signals() {
  hold_a_file();
  struct sigaction act {
  }, now{};
  act.sa_handler = count;
  act.sa_flags = SA_RESTART;
  sigaddset(&act.sa_mask, SIGUSR1);
  need(sigaction(SIGINT, &act, nullptr) == 0 && sigaction(SIGQUIT, &act, nullptr) == 0,
       "sigaction");
  std::vector<pthread_t> all(6);
  for (auto& each : all)
    need(pthread_create(&each, nullptr, interrupted_command, nullptr) == 0, "pthread_create");
  for (auto each : all) pthread_join(each, nullptr);
  need(interrupts == 0, "the signals are ignored");
  for (int signal : {SIGINT, SIGQUIT}) {
    need(sigaction(signal, nullptr, &now) == 0 && now.sa_handler == count &&
             (now.sa_flags & SA_RESTART) && sigismember(&now.sa_mask, SIGUSR1),
         "the handlers are back");
  }
  sigset_t mask;
  need(pthread_sigmask(SIG_BLOCK, nullptr, &mask) == 0 && !sigismember(&mask, SIGCHLD),
       "the mask is back");
  const int killed = system("kill -INT $$");
  need(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGINT, "a command ends by SIGINT");
  need(raise(SIGINT) == 0 && interrupts == 1, "the handler works");
  signal(SIGINT, SIG_IGN);
  need(exit_status(system("kill -INT $$; exit 5")) == 5, "a command whose parent ignores SIGINT");
  signal(SIGCHLD, SIG_IGN);
  errno = 0;
  need(system("exit 3") == -1 && errno == ECHILD, "system without children");
}

void* cancelled_command(void* path) {
  system(("echo $$ > '" + *static_cast<std::string*>(path) + "'; exec sleep 60").c_str());
  return nullptr;
}

// A thread that waits for a command can be cancelled; the command goes with it.
void cancellation() {
  hold_a_file();
  std::string file = in("pid");
  pthread_t other{};
  struct sigaction before {};
  need(sigaction(SIGINT, nullptr, &before) == 0, "sigaction");
  need(pthread_create(&other, nullptr, cancelled_command, &file) == 0, "pthread_create");
  struct stat st {};
  for (int i = 0; i < 1000 && (stat(file.c_str(), &st) != 0 || st.st_size == 0); i++)
    usleep(10'000);
  FILE* stream = fopen(file.c_str(), "r");
  int pid = 0;
  need(stream && fscanf(stream, "%d", &pid) == 1 && fclose(stream) == 0, "the command's pid");
  need(pthread_cancel(other) == 0, "pthread_cancel");
  void* result = nullptr;
  need(pthread_join(other, &result) == 0 && result == PTHREAD_CANCELED, "the thread is cancelled");
  need(kill(pid, 0) == -1 && errno == ESRCH, "the command is gone");
  struct sigaction now {};
  need(sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == before.sa_handler,
       "SIGINT is as before");
  need(truncate(file.c_str(), 0) == 0, "truncate");  // the pid differs on the two sides
}

void streams() {
  hold_a_file();
  char line[100] = "";
  FILE* stream = popen("echo one; exit 3", "r");
  need(stream && fgets(line, sizeof line, stream) && strcmp(line, "one\n") == 0,
       "what a command says");
  need(exit_status(pclose(stream)) == 3, "its status");
  stream = popen(("cat > '" + in("copy") + "'").c_str(), "w");
  need(stream && fputs("to a command\n", stream) >= 0 && pclose(stream) == 0,
       "what a command is told");
  stream = popen("exit 4", "r");
  int (*volatile close_stream)(FILE*) = fclose;  // not as a compiler would have it
  need(stream && exit_status(close_stream(stream)) == 4, "fclose awaits the command, too");
  need(waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD, "no child is left");
  for (const char* mode : {"re", "er", "we", "r", "w"}) {
    stream = popen("cat > /dev/null", mode);
    need(stream != nullptr, mode);
    const bool closes = fcntl(fileno(stream), F_GETFD) == FD_CLOEXEC;
    need(closes == (strchr(mode, 'e') != nullptr), "close-on-exec");
    if (!strchr(mode, 'r')) need(pclose(stream) == 0, "pclose");
  }
  for (const char* mode : {"", "rw", "x", "rx", "e", "r+"}) {
    errno = 0;
    need(!popen(":", mode) && errno == EINVAL, "a mode that is none");
  }
  need(exit_status(system("no-such-command 2> /dev/null")) == 127, "a command that is not there");
  need(system(nullptr) != 0, "there is a shell");
}

// A command keeps no stream of an earlier one open: that would never see its end.
void many_streams() {
  hold_a_file();
  std::vector<FILE*> all;
  for (int i = 0; i < 20; i++) {
    all.push_back(popen(("cat > '" + in("s" + std::to_string(i)) + "'").c_str(), "w"));
    need(all.back() && fprintf(all.back(), "%d", i) > 0, "popen");
  }
  for (FILE* stream : all) need(pclose(stream) == 0, "pclose");
  // Standard descriptors that are free become the pipe's.
  close(0);
  close(1);
  char line[100] = "";
  FILE* stream = popen("echo through", "r");
  need(stream && fgets(line, sizeof line, stream) && strcmp(line, "through\n") == 0 &&
           pclose(stream) == 0,
       "popen without standard descriptors");
}

const struct {
  const char* name;
  void (*run)();
} kCases[] = {{"environment_is_read", environment_is_read},
              {"environment_is_set", environment_is_set},
              {"signals", signals},
              {"cancellation", cancellation},
              {"streams", streams},
              {"many_streams", many_streams}};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    for (const auto& row : kCases) puts(row.name);
    return 0;
  }
  if (argc != 3) return 2;
  directory = argv[2];
  for (const auto& row : kCases) {
    if (strcmp(row.name, argv[1]) == 0) {
      row.run();
      return 0;
    }
  }
  return 2;
}
// NOLINTEND
