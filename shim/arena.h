// The heap that hiredis gets inside the library (its malloc family is linked with --wrap): 64 KiB
// of our own, so that a wrapper called from a signal handler, or from inside the program's own
// malloc, never enters that. Guarded by MetaLink's lock.
#pragma once

namespace wbshim::arena {

// Everything handed out is forgotten (fork's child).
void reset();

}  // namespace wbshim::arena
