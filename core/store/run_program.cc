#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/store/credential_process.h"
#include "core/util/clock.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

constexpr size_t kMaxOut = size_t{256} * 1024;
constexpr size_t kMaxErr = size_t{4} * 1024;
constexpr uint64_t kLook_ms = 100;

struct Pipe {
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read.reset(ends[0]);
    write.reset(ends[1]);
    return true;
  }
  Fd read;
  Fd write;
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t actions;
};

// A process group of its own, so that it can be ended with all it started; signals as a program
// expects them, for the thread that starts it blocks them and the uploader ignores some.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes, &set);
    for (const int number : {SIGPIPE, SIGIO, SIGCHLD, SIGTERM, SIGINT, SIGHUP})
      sigaddset(&set, number);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t attributes;
};

// Without our own library, whose uploader may be who waits, and without our options: Redis' password
// may be among them, and a program's environment can be read by others of the same user.
std::vector<char*> environment() {
  std::vector<char*> out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; variable++) {
    const std::string_view entry = *variable;
    if (entry.rfind("LD_PRELOAD=", 0) != 0 && entry.rfind("WBSHIM_", 0) != 0)
      out.push_back(*variable);
  }
  out.push_back(nullptr);
  return out;
}

int spawn(const std::vector<std::string>& words, const Pipe& out, const Pipe& err, pid_t* pid) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  SpawnActions files;
  posix_spawn_file_actions_addopen(&files.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files.actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files.actions, err.write.get(), STDERR_FILENO);
  const SpawnAttributes how;
  return posix_spawnp(pid, argv[0], &files.actions, &how.attributes, argv.data(),
                      environment().data());
}

// Reads what has come. False: the pipe's other end is closed.
bool drain(int fd, std::string& to) {
  char room[4096];
  const ssize_t n = read(fd, room, sizeof room);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  to.append(room, static_cast<size_t>(n));
  return n > 0;
}

// Whether both pipes came to their end in time. Descendants may hold them longer than the program.
bool read_both(Pipe& out, Pipe& err, uint64_t end_ms, const std::function<bool()>& stopped,
               ProcessEnd& result) {
  const SystemClock clock;
  while (out.read || err.read) {
    const uint64_t now = clock.now_ms();
    if (now >= end_ms || (stopped && stopped())) return false;
    pollfd fds[] = {{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};  // -1 is passed over
    if (poll(fds, 2, static_cast<int>(std::min(kLook_ms, end_ms - now))) <= 0) continue;
    if (fds[0].revents != 0 && !drain(fds[0].fd, result.out)) out.read.reset();
    if (fds[1].revents != 0 && !drain(fds[1].fd, result.err)) err.read.reset();
    if (result.out.size() > kMaxOut) result.out.resize(kMaxOut);
    // A program says last why it failed.
    if (result.err.size() > kMaxErr) result.err.erase(0, result.err.size() - kMaxErr);
  }
  return true;
}

// False: it goes on, past the time.
bool reap(pid_t pid, uint64_t end_ms, const std::function<bool()>& stopped, int* status) {
  const SystemClock clock;
  for (;;) {
    const pid_t done = waitpid(pid, status, WNOHANG);
    if (done == pid || (done < 0 && errno != EINTR)) return true;
    if (clock.now_ms() >= end_ms || (stopped && stopped())) return false;
    (void)poll(nullptr, 0, 10);
  }
}

}  // namespace

ProcessEnd run_program(const std::vector<std::string>& words, uint64_t limit_ms,
                       const std::function<bool()>& stopped) {
  ProcessEnd result;
  Pipe out, err;
  if (!out.open() || !err.open()) {
    result.failure = std::string("cannot be started: no pipe: ") + strerror(errno);
    return result;
  }
  const uint64_t end_ms = SystemClock().now_ms() + limit_ms;
  pid_t pid = 0;
  if (const int failed = spawn(words, out, err, &pid); failed != 0) {
    result.failure = std::string("cannot be started: ") + strerror(failed);
    return result;
  }
  out.write.reset();
  err.write.reset();
  int status = 0;
  if (!read_both(out, err, end_ms, stopped, result) || !reap(pid, end_ms, stopped, &status)) {
    (void)kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    result.failure = "did not end within " + std::to_string(limit_ms / 1000) + " s";
    return result;
  }
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

}  // namespace wbshim
