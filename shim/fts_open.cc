#include "shim/fts_handles.h"
#include "shim/fts_nodes.h"
#include "shim/libc_heap.h"
#include "shim/walks.h"

// The beginning and the end of an fts walk.
namespace wbshim {

using namespace fts_nodes;

static_assert(sizeof(ino_t) == sizeof(ino64_t) && sizeof(struct stat) == sizeof(struct stat64) &&
                  sizeof(FTSENT) == sizeof(FTSENT64),
              "the 64 variants share one layout");

namespace {

FTSENT* root_of(Walk* walk, FTSENT* parent, const char* path) {
  size_t size = strlen(path);
  if (size == 0 || size >= kPathRoom - 1) {
    errno = size == 0 ? ENOENT : ENAMETOOLONG;
    return nullptr;
  }
  FTSENT* node = make(walk, Bytes(path, size));
  if (!node) return nullptr;
  node->fts_level = FTS_ROOTLEVEL;
  node->fts_parent = parent;
  node->fts_accpath = node->fts_name;
  node->fts_info = look_again(walk, node, has(walk, FTS_COMFOLLOW));
  if (node->fts_info == FTS_DOT) node->fts_info = FTS_D;
  return node;
}

// The roots in their order; with a comparison they come to it in reverse, which shows with equals.
FTSENT* roots_of(Walk* walk, FTSENT* parent, char* const* paths) {
  FTSENT* first = nullptr;
  FTSENT** last = &first;
  size_t count = 0;
  for (; *paths; paths++, count++) {
    FTSENT* node = root_of(walk, parent, *paths);
    if (!node) {
      give_list(first);
      return nullptr;
    }
    if (walk->fts_compar) {
      node->fts_link = first;
      first = node;
    } else {
      *last = node;
      last = &node->fts_link;
    }
  }
  return sorted(walk, first, count);
}

void destroy(Walk* walk) {
  for (FTSENT* node = walk->fts_cur; node;) {
    FTSENT* next = node->fts_link ? node->fts_link : node->fts_parent;
    give(node);
    node = next;
  }
  drop_children(walk);
  libc_heap::give(walk->fts_path);
  libc_heap::give(walk);
}

Walk* made(int options, CompareNodes order) {
  auto* walk = static_cast<Walk*>(libc_heap::take(sizeof(Walk)));
  if (!walk) return nullptr;
  *walk = {};
  walk->fts_compar = reinterpret_cast<int (*)(const void*, const void*)>(order);
  walk->fts_options = options | (options & FTS_LOGICAL ? FTS_NOCHDIR : 0);
  walk->fts_rfd = -1;
  walk->fts_path = static_cast<char*>(libc_heap::take(kPathRoom));
  walk->fts_pathlen = kPathRoom;
  if (walk->fts_path) return walk->fts_path[0] = '\0', walk;
  libc_heap::give(walk);
  return nullptr;
}

// Before the first read the walk stands before its roots, with a parent above them.
bool begin(Walk* walk, char* const* paths) {
  FTSENT* parent = make(walk, "");
  if (!parent) return false;
  parent->fts_level = FTS_ROOTPARENTLEVEL;
  walk->fts_cur = parent;
  FTSENT* roots = roots_of(walk, parent, paths);
  FTSENT* before = roots ? make(walk, "") : nullptr;
  if (!before) return give_list(roots), false;
  before->fts_info = FTS_INIT;
  before->fts_link = roots;
  before->fts_parent = parent;
  walk->fts_cur = before;
  return fts_handles::add(walk);
}

bool any_inside(char* const* paths) {
  for (; *paths; paths++) {
    if (start_of(*paths) == Start::Inside) return true;
  }
  return false;
}

}  // namespace

FTS* tree_open(char* const* paths, int options, CompareNodes order,
               FTS* (*real)(char* const*, int, CompareNodes)) {
  if (!settings.on || !paths || !any_inside(paths) || (options & ~FTS_OPTIONMASK))
    return real(paths, options, order);
  Walk* walk = made(options, order);
  if (!walk || begin(walk, paths)) return walk;
  int saved = errno;
  destroy(walk);
  errno = saved;
  return nullptr;
}

int tree_close(FTS* walk, int (*real)(FTS*)) {
  if (!fts_handles::ours(walk)) return real(walk);
  fts_handles::remove(walk);
  destroy(static_cast<Walk*>(walk));
  return 0;
}

}  // namespace wbshim
