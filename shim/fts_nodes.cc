#include "shim/fts_nodes.h"

#include <stdlib.h>

#include "shim/libc_heap.h"
#include "shim/walk_level.h"

namespace wbshim::fts_nodes {

FTSENT* make(Walk* walk, Bytes name) {
  constexpr size_t kAlign = alignof(struct stat);
  size_t size = (offsetof(FTSENT, fts_name) + name.size + 1 + kAlign - 1) / kAlign * kAlign;
  bool with_stat = !has(walk, FTS_NOSTAT);
  auto* at = static_cast<char*>(libc_heap::take(size + (with_stat ? sizeof(struct stat) : 0)));
  if (!at) return nullptr;
  memset(at, 0, size + (with_stat ? sizeof(struct stat) : 0));
  auto* node = reinterpret_cast<FTSENT*>(at);
  memcpy(at + offsetof(FTSENT, fts_name), name.data, name.size);
  node->fts_namelen = static_cast<unsigned short>(name.size);
  node->fts_path = node->fts_accpath = walk->fts_path;
  node->fts_instr = FTS_NOINSTR;
  if (with_stat) node->fts_statp = reinterpret_cast<struct stat*>(at + size);
  return node;
}

void give(FTSENT* node) {
  int saved = errno;
  libc_heap::give(node);
  errno = saved;
}

void give_list(FTSENT* first) {
  while (first) {
    FTSENT* next = first->fts_link;
    give(first);
    first = next;
  }
}

size_t end_of_path(const FTSENT* node) {
  size_t size = node->fts_pathlen;
  return size > 0 && node->fts_path[size - 1] == '/' ? size - 1 : size;
}

void drop_children(Walk* walk) {
  give_list(walk->fts_child);
  walk->fts_child = nullptr;
}

namespace {

unsigned short directory_info(FTSENT* node, const struct stat& st) {
  node->fts_dev = st.st_dev;
  node->fts_ino = st.st_ino;
  node->fts_nlink = st.st_nlink;
  if (is_dot(node->fts_name)) return FTS_DOT;
  for (FTSENT* above = node->fts_parent; above && above->fts_level >= FTS_ROOTLEVEL;
       above = above->fts_parent) {
    if (above->fts_ino != st.st_ino || above->fts_dev != st.st_dev) continue;
    node->fts_cycle = above;
    return FTS_DC;
  }
  return FTS_D;
}

int look_once(const Walk* walk, int dirfd, const char* path, struct stat* st, bool follow) {
  int result = NEXT(fstatat)(dirfd, path, st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (result == 0 && walk->inside && S_ISLNK(st->st_mode)) fix_link_size(dirfd, path, &st->st_size);
  return result;
}

unsigned short without_stat(FTSENT* node, struct stat* st, int error) {
  *st = {};
  node->fts_errno = error;
  return FTS_NS;
}

}  // namespace

unsigned short look(Walk* walk, FTSENT* node, int dirfd, const char* path, bool follow) {
  struct stat own;
  struct stat* st = node->fts_statp ? node->fts_statp : &own;
  follow = follow || has(walk, FTS_LOGICAL);
  if (look_once(walk, dirfd, path, st, follow) != 0) {
    int error = errno;
    if (!follow || look_once(walk, dirfd, path, st, false) != 0)
      return without_stat(node, st, error);
    errno = 0;
    return FTS_SLNONE;
  }
  if (S_ISDIR(st->st_mode)) return directory_info(node, *st);
  if (S_ISLNK(st->st_mode)) return FTS_SL;
  return S_ISREG(st->st_mode) ? FTS_F : FTS_DEFAULT;
}

unsigned short look_again(Walk* walk, FTSENT* node, bool follow) {
  Mapped m(node->fts_accpath);
  if (node->fts_level == FTS_ROOTLEVEL) walk->inside = m.inside();
  if (m.ok()) return look(walk, node, AT_FDCWD, m.path(), follow);
  struct stat own;
  return without_stat(node, node->fts_statp ? node->fts_statp : &own, errno);
}

FTSENT* sorted(Walk* walk, FTSENT* first, size_t count) {
  if (!walk->fts_compar || count < 2) return first;
  auto** list = static_cast<FTSENT**>(libc_heap::take(count * sizeof(FTSENT*)));
  if (!list) return first;
  size_t n = 0;
  for (FTSENT* each = first; each; each = each->fts_link) list[n++] = each;
  qsort(list, n, sizeof(FTSENT*), walk->fts_compar);
  for (size_t i = 0; i < n; i++) list[i]->fts_link = i + 1 < n ? list[i + 1] : nullptr;
  first = list[0];
  libc_heap::give(list);
  return first;
}

}  // namespace wbshim::fts_nodes
