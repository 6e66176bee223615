// What a child that runs on its parent's memory (vfork, CLONE_VM) has opened for writing. The table of
// descriptors is its parent's, so such a child marks nothing there; it notes the numbers here, and what
// it drops is looked at through the kernel. A note that outlives its child costs a later one a look.
#pragma once

#include <atomic>
#include <cstdint>

namespace wbshim::borrowed {

inline constexpr int kMost = 4096;
extern std::atomic<bool> noted;  // whether there ever was a note

// In such a child: fd may be written under the prefix.
void note(int fd);

// Whether this is such a child and noted fd. One load in processes without any.
bool look_for(int fd);
inline bool holds(int fd) {
  return __builtin_expect(noted.load(std::memory_order_relaxed), 0) && look_for(fd);
}

// fd is about to be another. In the process that owns the memory, this drops stale notes.
void forget(int fd);

// Calls visit(fd, context) for every descriptor that this child noted.
void each(void (*visit)(int fd, void* context), void* context);

}  // namespace wbshim::borrowed
