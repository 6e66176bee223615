#include <linux/stat.h>

#include "shim/calls.h"

namespace wbshim {

int on_statx(int dirfd, const char* path, int flags, unsigned mask, struct statx* st) {
  auto call = [=](const char* p) { return NEXT(statx)(dirfd, p, flags, mask, st); };
  return unless_outside(path, call, [&](bool missing) {
    Mapped m(dirfd, path);
    if (!m.ok()) return -1;
    int result = reach(&m, call, Mapped::Last::Followed, missing);
    if (result == 0 && S_ISLNK(st->stx_mode) && settings.on && m.inside() &&
        (flags & AT_SYMLINK_NOFOLLOW)) {
      off_t size = static_cast<off_t>(st->stx_size);
      fix_link_size(dirfd, m.path(), &size);
      st->stx_size = static_cast<uint64_t>(size);
    }
    return result;
  });
}

}  // namespace wbshim
