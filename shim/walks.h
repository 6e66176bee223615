// Which walks are ours: those that start under the prefix. All others go to the next libc untouched.
#pragma once

#include "shim/calls.h"

namespace wbshim {

enum class Start { Outside, Inside, Fails };  // Fails: errno says why

// A function of its own that has returned by then: for a path outside nothing of ours stays on the
// stack below the program's callback.
Start start_of(const char* path);

}  // namespace wbshim
