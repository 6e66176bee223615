// hostile CASE DIRECTORY: programs that do unusual, legal things to their descriptors, stacks and
// signals. Each writes files below DIRECTORY and ends with 0 when it saw what POSIX promises;
// hostile.py then compares records and tree.
// NOLINTBEGIN
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
  dprintf(2, "hostile: %s: %s\n", what, strerror(error));
  _exit(1);
}

int create(const std::string& name) {
  const int fd = open(in(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  need(fd >= 0, "open for writing");
  return fd;
}

void write_file(const std::string& name) {
  const int fd = create(name);
  need(write(fd, "data", 4) == 4, "write");
  need(close(fd) == 0, "close");
}

void await(pid_t child) {
  int status = 0;
  need(child > 0 && waitpid(child, &status, 0) == child && status == 0, "child");
}

// Closes 3…63, as daemons do, and takes the numbers for itself: a library's own descriptor must not
// be confused with them.
void squatter() {
  write_file("before");
  for (int fd = 3; fd < 64; fd++) close(fd);
  std::vector<int> mine;
  for (int i = 0; i < 40; i++) mine.push_back(create("s" + std::to_string(i)));
  write_file("between");
  for (int fd : mine) {
    struct stat st {};
    need(write(fd, "mine", 4) == 4 && fstat(fd, &st) == 0 && st.st_size == 4,
         "a descriptor holds what was written to it alone");
  }
  closefrom(3);
  write_file("after");
}

void close_ranges() {
  create("a");
  create("b");
  need(close_range(3, ~0U, 0) == 0, "close_range");
  write_file("c");
}

void dup_over_everything() {
  const int fd = create("target");
  create("covered");
  for (int other = 3; other < 100; other++) {
    if (other != fd) need(dup2(fd, other) == other, "dup2");
  }
  need(write(50, "fifty", 5) == 5, "write");
  for (int other = 3; other < 100; other++) close(other);
  write_file("later");
}

void vfork_close() {
  const int fd = create("parent");
  const pid_t child = vfork();
  if (child == 0) {
    close(fd);
    close(3);
    _exit(0);
  }
  await(child);
  need(write(fd, "still mine", 10) == 10 && close(fd) == 0, "the parent's descriptor after vfork");
}

// A child on its parent's memory opens files of its own, over its parent's numbers too.
void vfork_writes() {
  const int parent = create("parent");
  const std::string path = in("child"), left = in("left open"), over = in("over");
  const pid_t child = vfork();
  if (child == 0) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT, 0644);
    if (fd < 0 || write(fd, "child", 5) != 5 || close(fd) != 0) _exit(1);
    if (close(parent) != 0 || open(over.c_str(), O_WRONLY | O_CREAT, 0644) != parent ||
        write(parent, "over", 4) != 4 || close(parent) != 0)
      _exit(2);
    const int open_at_end = open(left.c_str(), O_WRONLY | O_CREAT, 0644);
    _exit(write(open_at_end, "left", 4) == 4 ? 0 : 3);
  }
  await(child);
  need(write(parent, "parent", 6) == 6 && close(parent) == 0, "the parent's descriptor");
}

// The program that such a child starts inherits what the child opened, or does not.
void vfork_starts() {
  const std::string path = in("written"), untouched = in("untouched"),
                    closed = in("closed by exec");
  const pid_t child = vfork();
  if (child == 0) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    const int kept = open(untouched.c_str(), O_WRONLY | O_CREAT, 0644);
    const int last = open(closed.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || dup2(fd, 1) != 1 || write(kept, "kept", 4) != 4 || write(last, "last", 4) != 4)
      _exit(1);
    execl("/bin/echo", "echo", "program", nullptr);
    _exit(2);
  }
  await(child);
}

void in_a_copy(const std::string& name) {
  write_file(name);
  const int fd = create(name + ", open");
  _exit(write(fd, "open", 4) == 4 ? 0 : 1);
}

// Children with memory of their own of which no handler is told.
void silent_forks() {
  const pid_t child = _Fork();
  if (child == 0) in_a_copy("_Fork");
  await(child);
  const auto other = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (other == 0) in_a_copy("clone");
  await(other);
}

void few_descriptors() {
  struct rlimit limit = {8, 8};
  need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  write_file("a");
  std::vector<int> all;
  for (;;) {
    const int fd = open("/dev/null", O_RDONLY);
    if (fd < 0) break;
    all.push_back(fd);
  }
  need(errno == EMFILE, "EMFILE");
  need(rename(in("a").c_str(), in("b").c_str()) == 0, "rename without a free descriptor");
  close(all.back());
  all.pop_back();
  write_file("c");
}

// Everything that a cached file goes through, on the stack at hand.
int on_small_stack(void*) {
  write_file("small");
  need(rename(in("small").c_str(), in("stack").c_str()) == 0, "rename");
  need(mkdir(in("small dir").c_str(), 0755) == 0 && symlink("stack", in("small link").c_str()) == 0,
       "mkdir, symlink");
  struct stat st {};
  need(stat(in("small link").c_str(), &st) == 0 && st.st_size == 4, "stat");
  need(link(in("stack").c_str(), in("small dir/hard").c_str()) == 0 &&
           unlink(in("small dir/hard").c_str()) == 0,
       "link, unlink");
  need(chmod(in("stack").c_str(), 0600) == 0 && truncate(in("stack").c_str(), 2) == 0,
       "chmod, truncate");
  need(chdir(in("small dir").c_str()) == 0, "chdir");
  const int fd = open("relative", O_RDWR | O_CREAT | O_APPEND, 0644);
  need(fd >= 0 && write(fd, "x", 1) == 1, "open of a relative path");
  const int copy = dup2(fd, 70);
  need(copy == 70 && close(fd) == 0 && close(copy) == 0, "dup2, close");
  return 0;
}

// clone() with so much stack above a page that faults.
void cloned_with(size_t bytes) {
  char* stack = static_cast<char*>(
      mmap(nullptr, 4096 + bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  need(mprotect(stack + 4096, bytes, PROT_READ | PROT_WRITE) == 0, "mprotect");
  await(clone(on_small_stack, stack + 4096 + bytes, SIGCHLD, nullptr));
}

void small_stack() {
  cloned_with(8UL * 1024);
}

void* on_least_stack(void* number) {
  const std::string name = "least" + std::to_string(reinterpret_cast<uintptr_t>(number));
  for (int i = 0; i < 10; i++) write_file(name);
  need(rename(in(name).c_str(), in(name + " moved").c_str()) == 0, "rename");
  struct stat st {};
  need(stat(in(name + " moved").c_str(), &st) == 0, "stat");
  return nullptr;
}

// Threads with the least stack that pthread_attr_setstacksize() takes, thread-local storage and all.
void least_thread_stacks() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const auto least = static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN));
  need(pthread_attr_setstacksize(&attributes, least) == 0, "pthread_attr_setstacksize");
  std::vector<pthread_t> all(8);
  for (size_t i = 0; i < all.size(); i++)
    need(pthread_create(&all[i], &attributes, on_least_stack, reinterpret_cast<void*>(i)) == 0,
         "pthread_create");
  for (auto thread : all) pthread_join(thread, nullptr);
}

volatile sig_atomic_t handled = 0;
timer_t timer{};

// Once: a handler that takes longer than the interval must not starve the program.
void arm() {
  const struct itimerspec once = {{0, 0}, {0, 300'000}};
  timer_settime(timer, 0, &once, nullptr);
}

void handler(int) {
  const int error = errno;
  const int fd = open(in("handled").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd >= 0) {
    handled = handled + (write(fd, "h", 1) == 1 && close(fd) == 0);
  }
  arm();
  errno = error;
}

void in_signal_handlers() {
  struct sigaction act {};
  act.sa_handler = handler;
  act.sa_flags = SA_RESTART | SA_ONSTACK;
  stack_t alternative{};
  alternative.ss_size = 32 * 1024;
  alternative.ss_sp = malloc(alternative.ss_size);
  need(sigaltstack(&alternative, nullptr) == 0 && sigaction(SIGALRM, &act, nullptr) == 0,
       "sigaction");
  struct sigevent event {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer");
  arm();
  for (int i = 0; i < 300; i++) write_file("plain" + std::to_string(i % 7));
  while (handled < 20) sched_yield();
  timer_delete(timer);
}

void* thread_body(void* number) {
  const auto n = reinterpret_cast<uintptr_t>(number);
  for (int i = 0; i < 20; i++) {
    write_file("t" + std::to_string(n) + "." + std::to_string(i));
    if (i % 10 == 0) {
      const pid_t child = fork();
      if (child == 0) {
        const int fd = open(in("child" + std::to_string(n)).c_str(), O_WRONLY | O_CREAT, 0644);
        close(fd);
        _exit(0);
      }
      await(child);
    }
    if (i % 3 == 0)
      need(unlink(in("t" + std::to_string(n) + "." + std::to_string(i)).c_str()) == 0, "unlink");
  }
  return nullptr;
}

void threads_and_forks() {
  std::vector<pthread_t> all(24);
  for (size_t i = 0; i < all.size(); i++)
    need(pthread_create(&all[i], nullptr, thread_body, reinterpret_cast<void*>(i)) == 0,
         "pthread_create");
  for (auto thread : all) pthread_join(thread, nullptr);
}

void* forever(void*) {
  for (int i = 0;; i++) {
    const int fd = open(in("cancelled").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0) close(fd);
  }
}

void cancelled_threads() {
  write_file("start");
  for (int i = 0; i < 50; i++) {
    pthread_t thread{};
    need(pthread_create(&thread, nullptr, forever, nullptr) == 0, "pthread_create");
    usleep(static_cast<useconds_t>(i * 20));
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
    write_file("alive");
  }
}

struct Blocked {
  int to;
  bool unwound = false;
};

struct Unwound {
  Blocked* of;
  ~Unwound() { of->unwound = true; }
};

void* blocked(void* context) {
  const Unwound unwound{static_cast<Blocked*>(context)};
  static char much[1 << 20];
  return write(unwound.of->to, much, sizeof much) > 0 ? context : nullptr;
}

// The frames of a wrapper of write() are unwound like any other.
void cancelled_in_write() {
  write_file("start");
  int ends[2];
  need(pipe(ends) == 0, "pipe");
  Blocked context{ends[1]};
  pthread_t thread{};
  need(pthread_create(&thread, nullptr, blocked, &context) == 0, "pthread_create");
  for (int held = 0; held < 65536; sched_yield())  // until the pipe is full
    need(ioctl(ends[0], FIONREAD, &held) == 0, "ioctl");
  pthread_cancel(thread);
  void* result = nullptr;
  pthread_join(thread, &result);
  need(result == PTHREAD_CANCELED, "cancelled");
  need(context.unwound, "the thread's objects are destroyed");
  write_file("alive");
}

void abrupt_end() {
  const int fd = create("open at _exit");
  need(write(fd, "x", 1) == 1, "write");
  FILE* stream = fopen(in("flushed").c_str(), "w");
  fputs("stream", stream);
  fflush(stream);
  _exit(0);
}

void buffered_end() {
  FILE* stream = fopen(in("at exit").c_str(), "w");
  fputs("written by exit()", stream);
  exit(0);
}

void standard_streams_closed() {
  for (int fd = 0; fd < 3; fd++) close(fd);
  const int zero = create("zero");
  if (zero != 0) _exit(3);
  const int one = create("one"), two = create("two");
  if (one != 1 || two != 2 || write(2, "two", 3) != 3) _exit(4);
  _exit(0);
}

void errno_kept() {
  errno = 77;
  write_file("a");
  need(errno == 77, "errno after success");
  need(open(in("no/where").c_str(), O_RDONLY) == -1 && errno == ENOENT, "ENOENT");
  need(close(999) == -1 && errno == EBADF, "EBADF of close");
  need(dup2(999, 5) == -1 && errno == EBADF, "EBADF of dup2");
  need(rename(in("no").c_str(), in("b").c_str()) == -1 && errno == ENOENT, "ENOENT of rename");
  need(open(in("a").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644) == -1 && errno == EEXIST, "EEXIST");
  // Called through a variable: open is declared as never taking a null pointer.
  int (*volatile call)(const char*, int, ...) = open;
  need(call(nullptr, O_RDONLY) == -1 && errno == EFAULT, "EFAULT");
  need(open("", O_RDONLY) == -1 && errno == ENOENT, "ENOENT of the empty path");
  const std::string longest = in(std::string(5000, 'x'));
  need(open(longest.c_str(), O_RDONLY) == -1 && errno == ENAMETOOLONG, "ENAMETOOLONG");
  need(rmdir(directory.c_str()) == -1 && errno == ENOTEMPTY, "ENOTEMPTY");
}

// Mapped shared, closed, written through the mapping afterwards: unmapped before the end.
void mapped_after_close() {
  const int fd = open(in("mapped").c_str(), O_RDWR | O_CREAT, 0644);
  need(fd >= 0 && ftruncate(fd, 8192) == 0, "ftruncate");
  char* map = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  need(map != MAP_FAILED && close(fd) == 0, "mmap");
  map[0] = map[8191] = 'm';
  need(munmap(map, 8192) == 0, "munmap");
}

void raw_system_calls() {
  const int fd =
      static_cast<int>(syscall(SYS_openat, AT_FDCWD, in("raw").c_str(), O_WRONLY | O_CREAT, 0644));
  need(fd >= 0 && write(fd, "raw", 3) == 3 && syscall(SYS_close, fd) == 0, "openat by number");
  need(syscall(SYS_renameat2, AT_FDCWD, in("raw").c_str(), AT_FDCWD, in("by number").c_str(), 0) ==
           0,
       "renameat2 by number");
}

const struct {
  const char* name;
  void (*run)();
} kCases[] = {{"squatter", squatter},
              {"close_ranges", close_ranges},
              {"dup_over_everything", dup_over_everything},
              {"vfork_close", vfork_close},
              {"vfork_writes", vfork_writes},
              {"vfork_starts", vfork_starts},
              {"silent_forks", silent_forks},
              {"few_descriptors", few_descriptors},
              {"small_stack", small_stack},
              {"least_thread_stacks", least_thread_stacks},
              {"in_signal_handlers", in_signal_handlers},
              {"threads_and_forks", threads_and_forks},
              {"cancelled_threads", cancelled_threads},
              {"cancelled_in_write", cancelled_in_write},
              {"abrupt_end", abrupt_end},
              {"buffered_end", buffered_end},
              {"standard_streams_closed", standard_streams_closed},
              {"errno_kept", errno_kept},
              {"mapped_after_close", mapped_after_close},
              {"raw_system_calls", raw_system_calls}};

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
