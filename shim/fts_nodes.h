// The entries of an fts walk that is ours (fts.cc): FTS and FTSENT are the public ones of <fts.h>.
// An entry is one block of the program's heap; its path stands in the handle's buffer, which all
// entries share, as in every fts.
#pragma once

#include <fts.h>

#include "shim/calls.h"

namespace wbshim::fts_nodes {

// fts_pathlen is 16 bits wide; a longer path ends the walk with ENAMETOOLONG. The buffer has that
// size from the start: it never moves, and pages that are not touched cost nothing.
inline constexpr size_t kPathRoom = 65536;

// What programs hold is the FTS in it.
struct Walk : FTS {
  bool
      inside;  // the root at hand is under the prefix, and so links have the size of their virtual name
};

// An entry of that name; null when memory is short.
FTSENT* make(Walk* walk, Bytes name);
void give(FTSENT* node);         // keeps errno
void give_list(FTSENT* first);   // and what follows by fts_link
void drop_children(Walk* walk);  // what fts_children() has read

// Looks at what dirfd and path lead to; returns fts_info and fills in the rest that depends on it.
unsigned short look(Walk* walk, FTSENT* node, int dirfd, const char* path, bool follow);
// The same by the node's own path.
unsigned short look_again(Walk* walk, FTSENT* node, bool follow);

// Where the name of a child goes in the path of `node`: the place of the slash before it.
size_t end_of_path(const FTSENT* node);

// What fts_read() or fts_children() want of a directory.
enum class Want { Descend, Children, Names };
// The entries of the walk's current directory, in order; null: none, or fts_info or errno say what
// happened.
FTSENT* build(Walk* walk, Want want);

FTSENT* sorted(Walk* walk, FTSENT* first, size_t count);

inline bool has(const Walk* walk, int option) {
  return (walk->fts_options & option) != 0;
}

}  // namespace wbshim::fts_nodes
