// Loading: the library's settings are read once, before the first wrapper does anything.
#pragma once

#include <atomic>

namespace wbshim {

extern std::atomic<bool> loaded;

// No system call but getpid, no allocation, about a microsecond.
void load_now();

inline void load() {
  if (__builtin_expect(!loaded.load(std::memory_order_relaxed), 0)) load_now();
}

}  // namespace wbshim
