// Which directory tree/ is: a wiped or unmounted tree that was made anew must not look like one
// whose files were deleted (PROTOCOL.md 1.2). <staging>/run/tree holds "identity floor".
#pragma once

#include <cstdint>
#include <string>

#include "core/volume/tree.h"

namespace wbshim {

// Inode and birth time, where the file system keeps one.
std::string tree_identity(const Tree& tree);

struct TreeNote {
  std::string identity;
  uint64_t floor = 0;
};
// An empty identity when the text is no note.
TreeNote parse_tree_note(const std::string& text);

}  // namespace wbshim
