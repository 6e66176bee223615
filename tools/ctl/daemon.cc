#include "tools/ctl/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/sys.h"
#include "core/util/config.h"
#include "core/util/fd.h"

namespace wbshim::ctl {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

void close_all_from(int first) {
  if (close_range(static_cast<unsigned>(first), ~0u, 0) == 0) return;
  const long most = sysconf(_SC_OPEN_MAX);  // a sandbox that knows no close_range
  for (int fd = first; fd < (most > 0 && most < 65536 ? most : 65536); fd++) close(fd);
}

// Moves every descriptor out of the way first, so that one does not overwrite another's source.
bool arrange(const DaemonPlan& plan, int failure, int* moved_failure) {
  int top = 3;
  for (const auto& [mine, there] : plan.keep) top = std::max(top, there + 1);
  *moved_failure = fcntl(failure, F_DUPFD_CLOEXEC, top + 1);
  std::vector<int> high;
  for (const auto& [mine, there] : plan.keep) high.push_back(fcntl(mine, F_DUPFD_CLOEXEC, top + 1));
  const int in = open("/dev/null", O_RDWR | O_CLOEXEC);
  int out =
      plan.output.empty()
          ? in
          : open(plan.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (out < 0) out = in;
  if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) return false;
  for (size_t i = 0; i < plan.keep.size(); i++) {
    if (dup2(high[i], plan.keep[i].second) < 0) return false;
  }
  // What lies between the kept ones and above all is the caller's.
  for (int fd = 3; fd < top; fd++) {
    const bool kept = std::any_of(plan.keep.begin(), plan.keep.end(),
                                  [&](const auto& k) { return k.second == fd; });
    if (!kept) close(fd);
  }
  const int moved = *moved_failure;
  if (moved < 0 || dup2(moved, top) < 0 || fcntl(top, F_SETFD, FD_CLOEXEC) != 0) return false;
  *moved_failure = top;
  close_all_from(top + 1);
  return true;
}

[[noreturn]] void become(const DaemonPlan& plan, int failure) {
  auto arguments = plan.arguments;
  arguments.insert(arguments.begin(), plan.program);
  const auto argv = pointers(arguments);
  const auto envp = pointers(plan.environment);
  int channel = failure;
  umask(077);  // what a daemon makes is its owner's alone
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD})
    (void)signal(number, SIG_DFL);
  if (setsid() >= 0 && chdir(plan.directory.c_str()) == 0 && arrange(plan, failure, &channel)) {
    // Not libc's: under the library that is a wrapper, which puts LD_PRELOAD back.
    errno = static_cast<int>(-sys::call(SYS_execve, sys::arg(plan.program.c_str()),
                                        sys::arg(argv.data()), sys::arg(envp.data())));
  }
  const int error = errno;
  (void)!write(channel, &error, sizeof error);
  _exit(127);
}

}  // namespace

Status spawn_daemon(const DaemonPlan& plan) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{std::string("no pipe: ") + strerror(errno)};
  Fd answer(ends[0]), failure(ends[1]);
  const pid_t child = fork();
  if (child < 0) return Error{std::string("cannot start a process: ") + strerror(errno)};
  if (child == 0) {
    const pid_t grandchild = fork();
    if (grandchild == 0) become(plan, failure.get());
    const int error = errno;
    if (grandchild < 0) (void)!write(failure.get(), &error, sizeof error);
    _exit(0);
  }
  failure.reset();
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  int error = 0;
  ssize_t n;
  while ((n = read(answer.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (n == static_cast<ssize_t>(sizeof error))
    return Error{"cannot start " + plan.program + ": " + strerror(error)};
  return Ok{};
}

std::vector<std::string> daemon_environment() {
  std::vector<std::string> out;
  for (char** variable = environ; *variable != nullptr; variable++) {
    const std::string entry = *variable;
    const std::string name = entry.substr(0, entry.find('='));
    if (name == "LD_PRELOAD") continue;
    if (is_private_variable(name) && name != kWatchVariable) continue;
    out.push_back(entry);
  }
  return out;
}

}  // namespace wbshim::ctl
