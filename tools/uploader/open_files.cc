#include "tools/uploader/open_files.h"

#include <dirent.h>
#include <unistd.h>

#include <memory>
#include <unordered_set>

#include "tools/uploader/writers.h"

namespace wbshim {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;

bool below(const std::string& path, const std::string& dir) {
  return !dir.empty() && path.size() > dir.size() + 1 && path.compare(0, dir.size(), dir) == 0 &&
         path[dir.size()] == '/';
}

std::string target_of(const std::string& link) {
  char room[4096];
  ssize_t n = readlink(link.c_str(), room, sizeof room);
  return n > 0 ? std::string(room, static_cast<size_t>(n)) : std::string();
}

}  // namespace

std::optional<uint64_t> count_open_for_writing(const std::string& tree, const std::string& prefix,
                                               const std::string& proc) {
  Directory processes(opendir(proc.c_str()));
  if (!processes) return std::nullopt;
  std::unordered_set<std::string> files;
  while (const dirent* process = readdir(processes.get())) {
    if (process->d_name[0] < '0' || process->d_name[0] > '9') continue;
    std::string base = proc + "/" + process->d_name;
    Directory fds(opendir((base + "/fd").c_str()));
    while (const dirent* fd = fds ? readdir(fds.get()) : nullptr) {
      if (fd->d_name[0] == '.') continue;
      std::string path = target_of(base + "/fd/" + fd->d_name);
      bool in_tree = below(path, tree), mounted = below(path, prefix);
      if (!in_tree && !mounted) continue;
      // One file, by whichever of its names.
      std::string name = path.substr((in_tree ? tree : prefix).size());
      if (files.count(name) == 0 && open_for_writing(base + "/fdinfo/" + fd->d_name))
        files.insert(std::move(name));
    }
  }
  return files.size();
}

}  // namespace wbshim
