#include "shim/commands.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "shim/calls.h"
#include "shim/environment.h"
#include "shim/libc_heap.h"

namespace wbshim {
namespace {

// Held by a thread of this process; a copy of a lock, taken by fork at any moment, is free. Neither
// function may be called by a signal's handler.
class Guard {
 public:
  Guard() {
    int pid = sys::getpid();
    for (int holder = 0; !word.compare_exchange_weak(holder, pid); holder = 0) {
      if (holder != 0 && holder != pid && word.compare_exchange_strong(holder, pid)) return;
      sys::call(SYS_sched_yield);
    }
  }
  ~Guard() { word.store(0); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  static constinit std::atomic<int> word;
};
constinit std::atomic<int> Guard::word = 0;

// What the kernel keeps of a signal, to be put back as it was; a library that wraps sigaction() is
// not asked.
struct Disposition {
  long handler = 0;
  unsigned long flags = 0;
  long restorer = 0;
  uint64_t mask = 0;
};
constexpr long kIgnore = 1;  // SIG_IGN

void exchange(int signal, const Disposition* with, Disposition* old) {
  sys::call(SYS_rt_sigaction, signal, sys::arg(with), sys::arg(old), sizeof with->mask);
}

// While commands run, whoever waits for them ignores the terminal's signals. The first to come keeps
// what was there, the last puts it back.
constinit int waiting = 0;
constinit Disposition interrupt, quit;

uint64_t set_mask(int how, uint64_t mask) {
  uint64_t old = 0;
  sys::call(SYS_rt_sigprocmask, how, sys::arg(&mask), sys::arg(&old), sizeof mask);
  return old;
}

uint64_t bit(int signal) {
  return UINT64_C(1) << (signal - 1);
}

// Returns the mask to be put back.
uint64_t begin_waiting() {
  Guard guard;
  if (waiting++ == 0) {
    Disposition ignore;
    ignore.handler = kIgnore;
    exchange(SIGINT, &ignore, &interrupt);
    exchange(SIGQUIT, &ignore, &quit);
  }
  return set_mask(SIG_BLOCK, bit(SIGCHLD));
}

void end_waiting(uint64_t mask) {
  Guard guard;
  if (--waiting == 0) {
    exchange(SIGINT, &interrupt, nullptr);
    exchange(SIGQUIT, &quit, nullptr);
  }
  set_mask(SIG_SETMASK, mask);
}

sigset_t set_of(uint64_t mask) {
  sigset_t set;
  memset(&set, 0, sizeof set);
  memcpy(&set, &mask, sizeof mask);
  return set;
}

constexpr char kShell[] = "/bin/sh";

int start_shell(pid_t* pid, const char* command, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes) {
  environment::Prepared prepared(environ, {}, environment::kNoActions);
  const char* argv[] = {"sh", "-c", command, nullptr};
  return NEXT(posix_spawn)(pid, kShell, actions, attributes, const_cast<char* const*>(argv),
                           prepared.get());
}

int start_waited(pid_t* pid, const char* command, uint64_t mask) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  uint64_t reset = (interrupt.handler == kIgnore ? 0 : bit(SIGINT)) |
                   (quit.handler == kIgnore ? 0 : bit(SIGQUIT));
  sigset_t before = set_of(mask), defaults = set_of(reset);
  posix_spawnattr_setsigmask(&attributes, &before);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  int error = start_shell(pid, command, nullptr, &attributes);
  posix_spawnattr_destroy(&attributes);
  return error;
}

struct Waited {
  pid_t pid;
  uint64_t mask;
};

// The thread that waits was cancelled: so is the command.
void cancelled(void* argument) {
  const auto* waited = static_cast<const Waited*>(argument);
  sys::call(SYS_kill, waited->pid, SIGKILL);
  commands::await(waited->pid);
  end_waiting(waited->mask);
}

int await_command(Waited* waited) {
  int status = -1;
  pthread_cleanup_push(cancelled, waited);
  // A cancellation point, as system() is one.
  pid_t found;
  do {
    found = waitpid(waited->pid, &status, 0);
  } while (found < 0 && errno == EINTR);
  if (found != waited->pid) status = -1;
  pthread_cleanup_pop(0);
  return status;
}

// The streams of popen() and their children, the newest first.
struct Command {
  FILE* stream;
  pid_t pid;
  Command* next;
};
constinit std::atomic<Command*> running = nullptr;

// The child keeps no stream of another command's.
void close_others(posix_spawn_file_actions_t* actions, int kept) {
  for (Command* each = running.load(); each; each = each->next) {
    int fd = fileno(each->stream);
    if (fd != kept) posix_spawn_file_actions_addclose(actions, fd);
  }
}

struct Mode {
  bool read = false, write = false, closes = false;
  explicit Mode(const char* text) {
    for (; *text; text++) {
      if (*text == 'r')
        read = true;
      else if (*text == 'w')
        write = true;
      else if (*text == 'e')
        closes = true;
      else
        read = write = true;  // neither
    }
  }
};

// Starts the command with its end of the pipe; errno says why not.
bool start(Command* to, const char* command, const Mode& mode, int ours, int theirs) {
  Guard guard;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int standard = mode.read ? 1 : 0;
  NEXT(posix_spawn_file_actions_adddup2)(&actions, theirs, standard);
  close_others(&actions, standard);
  int error = start_shell(&to->pid, command, &actions, nullptr);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    errno = ENOMEM;  // as libc says it, whatever the reason
    return false;
  }
  if (!mode.closes) sys::fcntl(ours, F_SETFD, 0);
  to->next = running.load();
  running.store(to);
  return true;
}

}  // namespace

int run_command(const char* command) {
  if (!settings.on || !command) return NEXT(system)(command);
  Waited waited{0, begin_waiting()};
  int error = start_waited(&waited.pid, command, waited.mask);
  int status = error == 0 ? await_command(&waited) : 127 << 8;
  int result = errno;
  end_waiting(waited.mask);
  errno = error != 0 ? error : result;
  return status;
}

FILE* open_command(const char* command, const char* mode) {
  if (!settings.on) return NEXT(popen)(command, mode);
  Mode wanted(mode);
  if (wanted.read == wanted.write) {
    errno = EINVAL;
    return nullptr;
  }
  int ends[2] = {-1, -1};
  if (long error = sys::call(SYS_pipe2, sys::arg(ends), O_CLOEXEC)) {
    errno = static_cast<int>(-error);
    return nullptr;
  }
  int ours = ends[wanted.read ? 0 : 1], theirs = ends[wanted.read ? 1 : 0];
  auto* command_of = static_cast<Command*>(libc_heap::take(sizeof(Command)));
  FILE* stream = command_of ? fdopen(ours, wanted.read ? "r" : "w") : nullptr;
  bool started = false;
  if (stream) {
    command_of->stream = stream;
    started = start(command_of, command, wanted, ours, theirs);
  }
  int saved = errno;
  sys::close(theirs);
  if (!started) {
    if (stream)
      NEXT(fclose)(stream);
    else
      sys::close(ours);
    if (command_of) libc_heap::give(command_of);
  }
  errno = saved;
  return started ? stream : nullptr;
}

namespace commands {

int take(FILE* stream) {
  if (!running.load()) return 0;
  Command* found = nullptr;
  {
    Guard guard;
    Command* before = nullptr;
    for (found = running.load(); found && found->stream != stream; found = found->next)
      before = found;
    if (!found) return 0;
    if (before)
      before->next = found->next;
    else
      running.store(found->next);
  }
  int pid = found->pid;
  libc_heap::give(found);
  return pid;
}

int await(int child) {
  int status = 0;
  long result;
  do {
    result = sys::call(SYS_wait4, child, sys::arg(&status), 0, 0);
  } while (result == -EINTR);
  if (result == child) return status;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace commands
}  // namespace wbshim
