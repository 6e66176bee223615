#include "tools/uploader/leftovers.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "core/base/layout.h"

namespace wbshim {
namespace {

constexpr time_t kStaleSeconds = 60;

// "stats.<random>.tmp" and the like (core/volume/identity.cc), "probe.<pid>"
// (core/util/staging_dir.cc).
bool is_temporary(const std::string& name) {
  bool tmp = name.size() > 4 && name.compare(name.size() - 4, 4, ".tmp") == 0;
  return tmp || name.rfind("probe.", 0) == 0;
}

}  // namespace

bool drop_leftovers(const std::string& staging, time_t now) {
  bool dropped = false;
  for (const std::string& directory : {staging, staging + "/" + layout::kRunDir}) {
    DIR* dir = opendir(directory.c_str());
    if (!dir) continue;
    std::vector<std::string> names;
    while (const dirent* entry = readdir(dir)) {
      if (is_temporary(entry->d_name)) names.emplace_back(entry->d_name);
    }
    closedir(dir);
    for (const std::string& name : names) {
      std::string path = directory;
      path.append("/").append(name);
      struct stat st = {};
      bool stale = lstat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) &&
                   now - st.st_ctim.tv_sec >= kStaleSeconds;
      if (stale && unlink(path.c_str()) == 0) dropped = true;
    }
  }
  return dropped;
}

}  // namespace wbshim
