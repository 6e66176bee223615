// Commands that run in a shell: system() and popen(). libc's own would start it with `environ` as it
// is, which lacks what a child must be told; and that belongs to the program, whose other threads may
// read and change it at any time.
#pragma once

#include <stdio.h>

namespace wbshim::commands {

// The child behind a stream of popen(), which is about to be closed: takes it off the list. 0: none.
int take(FILE* stream);
// Awaits it: its status, or -1.
int await(int child);

}  // namespace wbshim::commands
