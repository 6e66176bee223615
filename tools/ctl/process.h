// Waiting for processes that are not our children, and holding locks that say whether they run.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/util/fd.h"

namespace wbshim::ctl {

// A handle on a process that stays right when its number is used again; empty when it is gone.
Fd open_process(pid_t pid);

// Waits for the end of that process. False: the bound passed.
bool wait_for_end(const Fd& process, int timeout_ms);

// An advisory lock on a file, made with mode 0600; held as long as the descriptor, or a copy of it
// in another process, is open. Nothing: somebody else holds it (wait: blocks until nobody does), or
// the file cannot be had.
std::optional<Fd> take_lock(const std::string& path, bool wait);

// Somebody holds it. Nothing is made.
bool is_locked(const std::string& path);

}  // namespace wbshim::ctl
