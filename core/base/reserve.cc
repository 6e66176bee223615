#include "core/base/reserve.h"

#include "core/base/sys.h"
#include "core/base/text.h"

namespace wbshim::reserve {

uint64_t size_for(uint64_t total_bytes, bool in_memory) {
  constexpr uint64_t kLeast = 256 << 10, kMost = 64 << 20, kMostMemory = 8 << 20;
  uint64_t size = total_bytes / 100, most = in_memory ? kMostMemory : kMost;
  if (size < kLeast) return total_bytes >= 16 * kLeast ? kLeast : 0;
  return size < most ? size : most;
}

bool give_up(const char* staging) {
  int dir = sys::openat(AT_FDCWD, staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return false;
  bool given = sys::call(SYS_unlinkat, dir, sys::arg(kBytes), 0) == 0;
  for (unsigned i = 0; i < kInodes; i++) {
    char name[48];
    Text text(name);
    text.add(kDir).add("/inode.").number(static_cast<int>(i));
    if (sys::call(SYS_unlinkat, dir, sys::arg(name), 0) == 0) given = true;
  }
  sys::close(dir);
  return given;
}

}  // namespace wbshim::reserve
