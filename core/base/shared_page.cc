#include "core/base/shared_page.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/base/layout.h"
#include "core/base/sys.h"
#include "core/base/text.h"

namespace wbshim {

SharedPage* map_shared_page(const char* staging_dir) {
  char path[1100];
  Text name(path);
  name.add(staging_dir).add('/').add(layout::kShared);
  if (!name.ok()) return nullptr;
  int fd = sys::openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return nullptr;
  struct stat st {};
  bool sized = sys::fstat(fd, &st) == 0 && (st.st_size >= static_cast<off_t>(SharedPage::kSize) ||
                                            sys::ftruncate(fd, SharedPage::kSize) == 0);
  bool fresh = st.st_size == 0;
  // A hole would be filled by the first write to the mapping, which on a full disk is SIGBUS in the
  // middle of a program. A file system without fallocate (-EOPNOTSUPP) is taken as it is.
  if (sized && st.st_blocks == 0) {
    long filled = sys::call(SYS_fallocate, fd, 0, 0, SharedPage::kSize);
    sized = filled != -ENOSPC && filled != -EDQUOT;
  }
  void* at = sized ? sys::mmap(SharedPage::kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd) : nullptr;
  if (!at) {
    sys::close(fd);
    return nullptr;
  }
  auto* page = static_cast<SharedPage*>(at);
  // A new page is all zeros, which is a valid state; the magic only tells people and tools what the
  // file is.
  uint64_t none = 0;
  // A disk that was full may have kept an earlier maker from finishing.
  if (page->magic.compare_exchange_strong(none, SharedPage::kMagic)) fresh = true;
  if (fresh) {
    // Once for a staging directory: what tells of a power loss must not fall victim to it.
    page->note_boot(this_boot(), sys::clock_ms(CLOCK_REALTIME));
    sys::call(SYS_fsync, fd);
    int dir = sys::openat(AT_FDCWD, staging_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
      sys::call(SYS_syncfs, dir);
      sys::close(dir);
    }
  }
  sys::close(fd);
  return page;
}

uint64_t this_boot() {
  char text[8] = {};
  int fd = sys::openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  long n = sys::read(fd, text, sizeof text);
  sys::close(fd);
  return n == sizeof text ? boot_number(Bytes(text, sizeof text)) : 0;
}

uint64_t boot_number(Bytes text) {
  uint64_t number = 0;
  for (size_t i = 0; i < text.size && i < 8; i++) {
    auto c = static_cast<unsigned char>(text.data[i]);
    number = number << 4 | (c <= '9' ? c - '0' : (c | 0x20u) - 'a' + 10u);
  }
  return number;
}

void SharedPage::note_boot(uint64_t now_boot, uint64_t now_ms) {
  uint64_t old = boot.load();
  if (old == now_boot || now_boot == 0) return;
  // Not 0, which says that no boot before is known.
  if (old != 0) alive_before_ms.store(alive_ms.load() | 1);
  boot_seen_ms.store(now_ms);
  boot.compare_exchange_strong(old, now_boot);
}

}  // namespace wbshim
