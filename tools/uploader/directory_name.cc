#include "tools/uploader/directory_name.h"

#include <dirent.h>
#include <fcntl.h>

#include <memory>

namespace wbshim {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

}  // namespace

std::optional<std::string> name_in(const Fd& parent, const struct stat& directory) {
  Fd fd(openat(parent.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, CloseDir> entries(fd ? fdopendir(fd.get()) : nullptr);
  if (!entries) return std::nullopt;
  fd.release();
  while (const dirent* entry = readdir(entries.get())) {
    std::string name = entry->d_name;
    if (name == "." || name == ".." || entry->d_ino != directory.st_ino) continue;
    struct stat st = {};
    if (fstatat(parent.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_ino == directory.st_ino && st.st_dev == directory.st_dev)
      return name;
  }
  return std::nullopt;
}

}  // namespace wbshim
