// A text that grows, on the program's heap (libc_heap.h). For walks of directories only: their paths
// and lists of names have no bound. Nothing is freed by itself, as a callback may leave a walk by
// an exception or longjmp, whose frames then have nothing to run.
#pragma once

#include "core/base/span.h"
#include "shim/libc_heap.h"

namespace wbshim {

struct HeapText {
  char* data =
      nullptr;  // ends with a NUL that `size` does not count; null until something is added
  size_t size = 0;
  size_t room = 0;

  // False: no memory, nothing has changed.
  bool add(Bytes bytes) {
    if ((!data || size + bytes.size + 1 > room) && !grow(bytes.size)) return false;
    if (bytes.size > 0) memcpy(data + size, bytes.data, bytes.size);
    size += bytes.size;
    data[size] = '\0';
    return true;
  }
  void truncate(size_t n) {
    if (n < size) data[size = n] = '\0';
  }
  void give() {
    libc_heap::give(data);
    *this = {};
  }

 private:
  bool grow(size_t more) {
    size_t wanted = 2 * (size + more) + 256;
    char* to = static_cast<char*>(libc_heap::take(wanted));
    if (!to) return false;
    if (data) memcpy(to, data, size + 1);
    libc_heap::give(data);
    data = to;
    room = wanted;
    return true;
  }
};

}  // namespace wbshim
