#include "core/base/sys.h"
#include "shim/fts_nodes.h"
#include "shim/walk_level.h"

// The entries of one directory. It is read and closed at once: a walk keeps no descriptor.
namespace wbshim::fts_nodes {
namespace {

DIR* open_current(const FTSENT* directory) {
  Mapped m(directory->fts_accpath);
  return m.ok() ? open_stream_at(AT_FDCWD, m.path()) : nullptr;
}

// Whether this entry's kind may stay unknown.
bool needs_look(const Walk* walk, Want want, unsigned char type) {
  if (want == Want::Names) return false;
  if (!has(walk, FTS_NOSTAT) || !has(walk, FTS_PHYSICAL)) return true;
  return type == DT_DIR || type == DT_UNKNOWN;
}

// Where fts may move about, it goes into a directory of whose entries it wants to know more than the
// names; the one that it cannot enter has no entries, and an error (libc's way). Returns that.
int error_of_entering(const Walk* walk, Want want, int dirfd, bool looks) {
  if (has(walk, FTS_NOCHDIR) || (want != Want::Descend && !looks)) return 0;
  struct stat st;
  return -sys::fstatat(dirfd, ".", &st, 0);
}

// Whether any of the entries will be looked at.
bool looks_at_any(const Walk* walk, Want want) {
  if (want == Want::Names) return false;
  return !has(walk, FTS_NOSTAT) || !has(walk, FTS_PHYSICAL) || has(walk, FTS_SEEDOT) ||
         walk->fts_cur->fts_nlink != 2;
}

// One entry below the current directory; null with errno ends the walk.
FTSENT* child_of(Walk* walk, Want want, int dirfd, const struct dirent64* entry) {
  FTSENT* parent = walk->fts_cur;
  Bytes name(entry->d_name);
  size_t path_size = end_of_path(parent) + 1 + name.size;
  if (path_size >= kPathRoom - 1) {
    errno = ENAMETOOLONG;
    return nullptr;
  }
  FTSENT* node = make(walk, name);
  if (!node) return nullptr;
  node->fts_level = static_cast<short>(parent->fts_level + 1);
  node->fts_parent = parent;
  node->fts_pathlen = static_cast<unsigned short>(path_size);
  node->fts_info = needs_look(walk, want, entry->d_type)
                       ? look(walk, node, dirfd, entry->d_name, false)
                       : FTS_NSOK;
  return node;
}

}  // namespace

FTSENT* build(Walk* walk, Want want) {
  FTSENT* directory = walk->fts_cur;
  DIR* stream = open_current(directory);
  if (!stream) {
    if (want == Want::Descend) {
      directory->fts_info = FTS_DNR;
      directory->fts_errno = errno;
    }
    return nullptr;
  }
  bool looks = looks_at_any(walk, want);
  if (int error = error_of_entering(walk, want, dirfd(stream), looks)) {
    close_stream_of(stream);
    if (want == Want::Descend) directory->fts_info = FTS_DP;
    if (want == Want::Descend && looks) directory->fts_errno = error;
    errno = error;
    return nullptr;
  }
  FTSENT* first = nullptr;
  FTSENT** last = &first;
  size_t count = 0;
  while (const struct dirent64* entry = readdir64(stream)) {
    if (is_dot(entry->d_name) && !has(walk, FTS_SEEDOT)) continue;
    FTSENT* node = child_of(walk, want, dirfd(stream), entry);
    if (!node) {
      give_list(first);
      close_stream_of(stream);
      directory->fts_info = FTS_ERR;
      walk->fts_options |= FTS_STOP;
      return nullptr;
    }
    *last = node;
    last = &node->fts_link;
    count++;
  }
  close_stream_of(stream);
  if (count == 0 && want == Want::Descend) directory->fts_info = FTS_DP;
  return sorted(walk, first, count);
}

}  // namespace wbshim::fts_nodes
