#include "tools/uploader/tree_id.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

namespace wbshim {

std::string tree_identity(const Tree& tree) {
  std::string identity = std::to_string(tree.inode());
  struct statx st = {};
  if (statx(tree.fd(), "", AT_EMPTY_PATH, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME)) {
    identity +=
        "." + std::to_string(st.stx_btime.tv_sec) + "." + std::to_string(st.stx_btime.tv_nsec);
  }
  return identity;
}

TreeNote parse_tree_note(const std::string& text) {
  size_t space = text.find(' ');
  if (space == std::string::npos || space == 0) return {};
  return {text.substr(0, space), strtoull(text.c_str() + space, nullptr, 10)};
}

}  // namespace wbshim
