#include "tools/ctl/paths.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/base/layout.h"
#include "core/util/display.h"

namespace wbshim::ctl {
namespace {

bool below(const std::string& path, const std::string& dir, std::string* rest) {
  if (path.compare(0, dir.size(), dir) != 0) return false;
  if (path.size() > dir.size() && path[dir.size()] != '/') return false;
  *rest = path.size() > dir.size() ? path.substr(dir.size() + 1) : "";
  return true;
}

// "/a/b" for "/a//x/../b/."; the root is the empty string.
std::string normalised(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    const std::string part = path.substr(from, end - from);
    from = end + 1;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string out;
  for (const std::string& part : parts) out += "/" + part;
  return out;
}

}  // namespace

std::string working_directory() {
  char* here = getcwd(nullptr, 0);
  std::string found = here != nullptr ? here : "/";
  free(here);
  return found;
}

Result<std::string> path_in_prefix(const Config& config, const std::string& word,
                                   const std::string& cwd) {
  const std::string& prefix = config.prefix();
  std::string start = prefix, rest;
  if (below(cwd, prefix, &rest) || below(cwd, config.in_staging(layout::kTree), &rest)) {
    if (!rest.empty()) start += "/" + rest;
  }
  const bool absolute = !word.empty() && word.front() == '/';
  const std::string path = normalised(absolute ? word : start + "/" + word);
  if (!below(path, prefix, &rest)) {
    return Error{"'" + printable(word) + "' is not under the prefix " +
                 config.shown(Option::PREFIX) + " (" +
                 printable(config.setting(Option::PREFIX).where) + ")"};
  }
  return rest;
}

}  // namespace wbshim::ctl
