#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/util/display.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/mount_namespace.h"
#include "tools/ctl/places.h"
#include "tools/ctl/preload.h"
#include "tools/ctl/report.h"
#include "tools/ctl/services.h"

namespace wbshim::ctl {
namespace {

// Read by the signal handler.
volatile pid_t forward_to = 0;

void forward(int number, siginfo_t* info, void*) {
  // What the terminal sends goes to the whole group, the command included.
  if (info->si_code != SI_KERNEL && forward_to > 0) kill(forward_to, number);
}

void forward_signals() {
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT}) {
    struct sigaction old {
    }, now{};
    if (sigaction(number, nullptr, &old) != 0 || old.sa_handler == SIG_IGN) continue;  // nohup
    now.sa_sigaction = forward;
    now.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&now.sa_mask);
    sigaction(number, &now, nullptr);
  }
}

bool is_under(const std::string& path, const std::string& prefix) {
  return path.compare(0, prefix.size(), prefix) == 0 &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// shim-ctl itself does not see the prefix: a command that lives there is looked up by a shell that
// does.
bool needs_shell(const std::string& command, const Config& config) {
  if (command.find('/') != std::string::npos) return is_under(command, config.prefix());
  const char* variable = getenv("PATH");
  const std::string path = variable != nullptr ? variable : "";
  for (size_t from = 0; from < path.size();) {
    const size_t end = std::min(path.find(':', from), path.size());
    if (is_under(path.substr(from, end - from), config.prefix())) return true;
    from = end + 1;
  }
  return false;
}

[[noreturn]] void become(const CommandLine& line, const Config& config, const Variables& variables,
                         const sigset_t& mask) {
  std::vector<std::string> words = line.words;
  if (line.mount) {
    if (Outcome entered = enter_mount_namespace(config); !entered.ok()) _exit(report(entered));
  } else if (needs_shell(words.front(), config)) {
    words.insert(words.begin(), {"/bin/sh", "-c", "exec \"$@\"", "sh"});
  }
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvp(argv[0], argv.data());
  const int error = errno;
  complain("cannot run " + printable(words.front()) + ": " + strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// The command's exit status.
int run_to_end(const CommandLine& line, const Config& config, const Variables& variables) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t child = fork();
  if (child == 0) become(line, config, variables, before);
  if (child > 0) {
    forward_to = child;
    forward_signals();
  }
  const int error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child < 0)
    return report(Outcome::failed(std::string("cannot start a process: ") + strerror(error)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  forward_to = 0;
  return exit_status(status);
}

}  // namespace

int command_run(const CommandLine& line, const Config& config) {
  const Result<std::string> library = find_library();
  if (!library) return report(Outcome::failed(library.message()));
  if (Outcome started = start_services(line, config); !started.ok()) return report(started);
  const char* preloaded = getenv("LD_PRELOAD");
  const int status =
      run_to_end(line, config,
                 preload_variables(config, library.value(), preloaded != nullptr ? preloaded : ""));
  if (!line.flush) return status;
  const int flushed = flush_everything(line, config, true);
  return status != 0 ? status : flushed == kDone ? kDone : kFailed;
}

}  // namespace wbshim::ctl
