#include "shim/fts_handles.h"
#include "shim/fts_nodes.h"
#include "shim/walks.h"

// fts_open() and its family, for walks of which a root lies under the prefix.
//
// The working directory never changes, with or without FTS_NOCHDIR: that option's absence only
// allows fts to move about ("an application cannot rely on being in any particular directory"), and
// what a program may rely on, that fts_accpath leads to the file from where it is, holds: it is the
// whole path, as fts_path. So an entry is reached with paths up to PATH_MAX only.
namespace wbshim {

using namespace fts_nodes;

namespace {

// Makes a root the one at hand: its path goes into the buffer, its name becomes the last part.
void load_root(Walk* walk, FTSENT* root) {
  memcpy(walk->fts_path, root->fts_name, root->fts_namelen + size_t{1});
  root->fts_pathlen = root->fts_namelen;
  const char* slash = strrchr(root->fts_name, '/');
  if (slash && (slash != root->fts_name || slash[1] != '\0')) {
    root->fts_namelen = static_cast<unsigned short>(strlen(slash + 1));
    memmove(root->fts_name, slash + 1, root->fts_namelen + size_t{1});
  }
  root->fts_accpath = root->fts_path = walk->fts_path;
  walk->fts_dev = root->fts_dev;
  walk->inside = start_of(walk->fts_path) == Start::Inside;
}

FTSENT* load_child(Walk* walk, FTSENT* node) {
  size_t at = end_of_path(node->fts_parent);
  walk->fts_path[at] = '/';
  memcpy(walk->fts_path + at + 1, node->fts_name, node->fts_namelen + size_t{1});
  return walk->fts_cur = node;
}

// From a directory in pre-order to its first entry, or to its own second visit.
FTSENT* descend(Walk* walk, FTSENT* directory, int order) {
  if (order == FTS_SKIP || (has(walk, FTS_XDEV) && directory->fts_dev != walk->fts_dev)) {
    drop_children(walk);
    directory->fts_info = FTS_DP;
    return directory;
  }
  if (walk->fts_child && has(walk, FTS_NAMEONLY)) {
    walk->fts_options &= ~FTS_NAMEONLY;
    drop_children(walk);
  }
  if (!walk->fts_child) walk->fts_child = build(walk, Want::Descend);
  if (!walk->fts_child) return has(walk, FTS_STOP) ? nullptr : directory;
  FTSENT* first = walk->fts_child;
  walk->fts_child = nullptr;
  return load_child(walk, first);
}

// From a node that is done with to the next in its directory, or up.
FTSENT* advance(Walk* walk, FTSENT* node) {
  drop_children(walk);  // of a directory that was none any more when it was looked at again
  while (FTSENT* next = node->fts_link) {
    give(node);
    node = walk->fts_cur = next;
    if (node->fts_level == FTS_ROOTLEVEL) {
      load_root(walk, node);
      return node;
    }
    if (node->fts_instr == FTS_SKIP) continue;
    load_child(walk, node);
    if (node->fts_instr == FTS_FOLLOW) {
      node->fts_info = look_again(walk, node, true);
      node->fts_instr = FTS_NOINSTR;
    }
    return node;
  }
  FTSENT* parent = node->fts_parent;
  give(node);
  walk->fts_cur = parent;
  if (parent->fts_level == FTS_ROOTPARENTLEVEL) {
    give(parent);
    errno = 0;
    return walk->fts_cur = nullptr;
  }
  walk->fts_path[parent->fts_pathlen] = '\0';
  parent->fts_info = parent->fts_errno ? FTS_ERR : FTS_DP;
  return parent;
}

}  // namespace

FTSENT* tree_read(FTS* handle, FTSENT* (*real)(FTS*)) {
  if (!fts_handles::ours(handle)) return real(handle);
  auto* walk = static_cast<Walk*>(handle);
  FTSENT* node = walk->fts_cur;
  if (!node || has(walk, FTS_STOP)) return nullptr;
  int order = node->fts_instr;
  node->fts_instr = FTS_NOINSTR;
  bool link = node->fts_info == FTS_SL || node->fts_info == FTS_SLNONE;
  if (order == FTS_AGAIN || (order == FTS_FOLLOW && link)) {
    node->fts_info = look_again(walk, node, order == FTS_FOLLOW);
    if (node->fts_level == FTS_ROOTLEVEL) walk->fts_dev = node->fts_dev;
    return node;
  }
  return node->fts_info == FTS_D ? descend(walk, node, order) : advance(walk, node);
}

FTSENT* tree_children(FTS* handle, int what, FTSENT* (*real)(FTS*, int)) {
  if (!fts_handles::ours(handle)) return real(handle, what);
  auto* walk = static_cast<Walk*>(handle);
  if (what != 0 && what != FTS_NAMEONLY) {
    errno = EINVAL;
    return nullptr;
  }
  FTSENT* node = walk->fts_cur;
  errno = 0;
  if (!node || has(walk, FTS_STOP)) return nullptr;
  if (node->fts_info == FTS_INIT) return node->fts_link;
  if (node->fts_info != FTS_D) return nullptr;
  drop_children(walk);
  if (what == FTS_NAMEONLY) walk->fts_options |= FTS_NAMEONLY;
  return walk->fts_child = build(walk, what == FTS_NAMEONLY ? Want::Names : Want::Children);
}

int tree_set(FTS* walk, FTSENT* node, int order, int (*real)(FTS*, FTSENT*, int)) {
  if (!fts_handles::ours(walk)) return real(walk, node, order);
  if (order < 0 || order > FTS_SKIP) {
    errno = EINVAL;
    return 1;
  }
  node->fts_instr = static_cast<unsigned short>(order);
  return 0;
}

}  // namespace wbshim
