#include "core/volume/volume.h"

#include <algorithm>

#include "core/base/keys.h"
#include "core/util/bytes.h"

namespace wbshim {

std::string parent_of(std::string_view path) {
  Bytes dir, name;
  keys::split(bytes(path), &dir, &name);
  return to_string(dir);
}

bool is_tree_path(std::string_view path) {
  constexpr size_t kMost = 4096;  // PATH_MAX, with the NUL
  if (path.empty() || path.size() >= kMost || path.find('\0') != std::string_view::npos)
    return false;
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, end - from);
    if (part.empty() || part == "." || part == "..") return false;
    from = end + 1;
  }
  return true;
}

std::string name_of(std::string_view path) {
  Bytes dir, name;
  keys::split(bytes(path), &dir, &name);
  return to_string(name);
}

}  // namespace wbshim
