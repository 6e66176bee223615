// The program's own heap, for results that the caller frees (getcwd(NULL), realpath(…, NULL)).
// Everything else in the library does without; inside it the names malloc and free mean arena.cc.
#pragma once

#include <stddef.h>

extern "C" {
void* __real_malloc(size_t n);
void __real_free(void* p);
}

namespace wbshim::libc_heap {

inline void* take(size_t n) {
  return __real_malloc(n);
}
inline void give(void* p) {
  __real_free(p);
}

}  // namespace wbshim::libc_heap
