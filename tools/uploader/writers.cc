#include "tools/uploader/writers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <memory>

namespace wbshim {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;

bool is_number(const char* text) {
  if (*text == '\0') return false;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9') return false;
  }
  return true;
}

std::string read_link(const std::string& path) {
  char room[4096];
  ssize_t n = readlink(path.c_str(), room, sizeof room);
  return n > 0 ? std::string(room, static_cast<size_t>(n)) : std::string();
}

}  // namespace

// "flags:\t0100002": octal, as open() took them.
bool open_for_writing(const std::string& fdinfo) {
  std::ifstream file(fdinfo);
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("flags:", 0) != 0) continue;
    unsigned long flags = strtoul(line.c_str() + 6, nullptr, 8);
    return (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
  }
  return false;
}

Writers LeaseTest::test(int fd, const struct stat&) {
  // Another's O_NONBLOCK open may fail with EAGAIN in between; the library tries again
  // (PROTOCOL.md 6.2).
  if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return Writers::None;
  }
  return errno == EAGAIN || errno == EBUSY ? Writers::Some : Writers::Unknown;
}

bool ProcTest::descriptor_writes(const std::string& process, const struct stat& st) const {
  Directory fds(opendir((process + "/fd").c_str()));
  if (!fds) return false;
  while (const dirent* entry = readdir(fds.get())) {
    if (!is_number(entry->d_name)) continue;
    struct stat other = {};
    if (stat((process + "/fd/" + entry->d_name).c_str(), &other) != 0) continue;
    if (other.st_dev != st.st_dev || other.st_ino != st.st_ino) continue;
    if (open_for_writing(process + "/fdinfo/" + entry->d_name)) return true;
  }
  return false;
}

// By name, since a file system of layers shows another inode here; or by inode, since a mount of the
// tree shows another name.
bool ProcTest::mapping_writes(const std::string& process, const std::string& path,
                              ino_t inode) const {
  std::ifstream maps(process + "/maps");
  std::string line;
  while (std::getline(maps, line)) {
    // 7f00-7f01 rw-s 00000000 fe:00 1234   /path
    size_t rights = line.find(' ');
    if (rights == std::string::npos || line.size() < rights + 5) continue;
    if (line[rights + 2] != 'w' || line[rights + 4] != 's') continue;
    size_t slash = line.find('/', rights);
    if (slash == std::string::npos) continue;
    if (line.compare(slash, std::string::npos, path) == 0) return true;
    size_t end = line.find_last_not_of(' ', slash - 1);
    size_t begin = line.rfind(' ', end);
    if (line.substr(begin + 1, end - begin) == std::to_string(inode)) return true;
  }
  return false;
}

Writers ProcTest::test(int fd, const struct stat& st) {
  std::string path = read_link("/proc/self/fd/" + std::to_string(fd));
  Directory processes(opendir(proc_.c_str()));
  if (!processes || path.empty()) return Writers::Unknown;
  while (const dirent* entry = readdir(processes.get())) {
    if (!is_number(entry->d_name)) continue;
    std::string process = proc_ + "/" + entry->d_name;
    if (descriptor_writes(process, st) || mapping_writes(process, path, st.st_ino))
      return Writers::Some;
  }
  return Writers::None;
}

}  // namespace wbshim
