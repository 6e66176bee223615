#include "tools/ctl/mount_mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "core/base/sys.h"
#include "core/util/display.h"
#include "core/util/fd.h"

namespace wbshim::ctl {
namespace {

constexpr unsigned kMostEntries = 5000;  // each becomes a mount; the kernel allows 100,000

struct CloseDirectory {
  void operator()(DIR* d) const { closedir(d); }
};

bool vanished() {
  return errno == ENOENT;
}

Status copy_link(const std::string& from, const std::string& to) {
  char target[PATH_MAX];
  const ssize_t n = readlink(from.c_str(), target, sizeof target - 1);
  if (n < 0) return vanished() ? Status(Ok{}) : mount_error("cannot read the link", from);
  target[n] = '\0';
  if (symlink(target, to.c_str()) != 0) return mount_error("cannot make the link", to);
  return Ok{};
}

// DT_UNKNOWN: it has vanished. What is mounted there need not be looked at: that may be forbidden
// (another user's FUSE), or hang.
unsigned char type_of(const dirent& entry, const std::string& path) {
  struct stat st {};
  if (entry.d_type != DT_UNKNOWN || lstat(path.c_str(), &st) != 0) return entry.d_type;
  return static_cast<unsigned char>(IFTODT(st.st_mode));
}

Status mirror_entry(unsigned char type, const std::string& from, const std::string& to) {
  if (type == DT_UNKNOWN) return Ok{};
  if (type == DT_LNK) return copy_link(from, to);
  if (type == DT_DIR) {
    if (mkdir(to.c_str(), 0755) != 0) return mount_error("cannot make the directory", to);
  } else if (!Fd(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644))) {
    return mount_error("cannot make the file", to);
  }
  if (mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0) return Ok{};
  if (!vanished()) return mount_error("cannot bind", from);
  (void)(type == DT_DIR ? rmdir(to.c_str()) : unlink(to.c_str()));
  return Ok{};
}

}  // namespace

Error mount_error(const std::string& what, const std::string& path) {
  return Error{what + " '" + printable(path) + "': " + strerror(errno)};
}

Status mirror_directory(const std::string& from, const std::string& to, const std::string& except) {
  struct stat st {};
  const std::unique_ptr<DIR, CloseDirectory> entries(opendir(from.c_str()));
  if (!entries || fstat(dirfd(entries.get()), &st) != 0)
    return mount_error("cannot list the directory", from);
  const std::string base = to == "/" ? to : to + "/";
  unsigned count = 0;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == except) continue;
    if (++count > kMostEntries)
      return Error{"'" + printable(from) + "' has more than " + std::to_string(kMostEntries) +
                   " entries"};
    std::string path = from;
    path.append("/").append(name);
    if (Status one = mirror_entry(type_of(*entry, path), path, base + name); !one) return one;
  }
  if (chmod(to.c_str(), st.st_mode & 07777) != 0) return mount_error("cannot chmod", to);
  return Ok{};
}

Status make_directories_below(const std::string& base, const std::string& path) {
  for (size_t end = base == "/" ? 0 : base.size(); end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string one = path.substr(0, end);
    // Raw: under the library the prefix is there already.
    errno = -sys::mkdirat(AT_FDCWD, one.c_str(), 0755);
    if (errno != 0 && errno != EEXIST) return mount_error("cannot make the directory", one);
  }
  return Ok{};
}

}  // namespace wbshim::ctl
