#include "core/base/record.h"

namespace wbshim::record {
namespace {

int64_t nanoseconds(const struct timespec& t) {
  return static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
}

}  // namespace

char type_of(mode_t mode) {
  if (S_ISREG(mode)) return 'f';
  if (S_ISDIR(mode)) return 'd';
  if (S_ISLNK(mode)) return 'l';
  return 0;
}

void put_id(Text& to, const struct stat& st) {
  to.unsigned_number(st.st_ino).add('.');
  if (S_ISDIR(st.st_mode)) {
    // Size and times of a directory follow its entries, which have records of their own.
    to.unsigned_number(st.st_mode & 07777).add(".0.0");
    return;
  }
  to.number(st.st_size).add('.');
  to.number(nanoseconds(st.st_mtim)).add('.').number(nanoseconds(st.st_ctim));
}

void put_tail(Text& to, const struct stat& st, Bytes boot, Bytes target) {
  bool file = S_ISREG(st.st_mode);
  if (file) to.add(",\"size\":").number(st.st_size);
  to.add(",\"mtime_ns\":").number(nanoseconds(st.st_mtim));
  uint32_t mode = st.st_mode & 07777;
  if (mode != kDefaultMode) to.add(",\"mode\":").unsigned_number(mode);
  if (st.st_uid != 0) to.add(",\"uid\":").unsigned_number(st.st_uid);
  if (st.st_gid != 0) to.add(",\"gid\":").unsigned_number(st.st_gid);
  to.add(",\"boot\":\"").add(boot).add('"');
  if (S_ISLNK(st.st_mode)) to.add(",\"target\":\"").json(target).add('"');
}

bool same(const struct stat& a, const struct stat& b) {
  // A directory's size and times change with its entries; what is recorded of it is that it exists,
  // its mode and owner.
  bool identity = a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_mode == b.st_mode &&
                  a.st_uid == b.st_uid && a.st_gid == b.st_gid;
  if (!identity || S_ISDIR(a.st_mode)) return identity;
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
         a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace wbshim::record
