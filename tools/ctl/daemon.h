// Starting a background program that has nothing of its starter: a session of its own, no terminal,
// none of the caller's descriptors, no LD_PRELOAD, its own working directory. It is nobody's child,
// so nobody need wait for it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/util/result.h"

namespace wbshim::ctl {

struct DaemonPlan {
  std::string program;                   // absolute
  std::vector<std::string> arguments;    // without the program's name
  std::vector<std::string> environment;  // "NAME=value"
  std::string directory;                 // working directory; exists
  std::string output;                    // file for stdout and stderr, appended to, mode 0600
  std::vector<std::pair<int, int>>
      keep;  // descriptors to hand on: ours, and its number there, 3 or above
};

// The error: fork, exec or the directory failed.
Status spawn_daemon(const DaemonPlan& plan);

// This process's environment without what must not reach a daemon (LD_PRELOAD, the library's
// private variables).
std::vector<std::string> daemon_environment();

}  // namespace wbshim::ctl
