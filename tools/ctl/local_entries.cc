#include "tools/ctl/local_entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <optional>

#include "core/util/clock.h"
#include "core/util/fd.h"
#include "core/volume/tree.h"

namespace wbshim::ctl {
namespace {

// Somebody waits for the answer.
constexpr uint64_t kCountMs = 2000;
constexpr int64_t kSecond = 1000000000;

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;

Directory directory_of(Fd fd) {
  Directory entries(fd ? fdopendir(fd.get()) : nullptr);
  if (entries) (void)fd.release();
  return entries;
}

// Zero: stored, or a directory.
char type_of(const struct stat& st) {
  switch (st.st_mode & S_IFMT) {
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    default:
      return '\0';
  }
}

std::optional<LocalEntry> entry_of(const std::string& name, const struct stat& st) {
  if (type_of(st) == '\0') return std::nullopt;
  LocalEntry entry;
  entry.name = name;
  entry.record.type = type_of(st);
  entry.record.mode = st.st_mode & 07777u;
  entry.record.uid = st.st_uid;
  entry.record.gid = st.st_gid;
  entry.record.mtime_ns = st.st_mtim.tv_sec * kSecond + st.st_mtim.tv_nsec;
  return entry;
}

bool is_special(unsigned char type) {
  return type == DT_FIFO || type == DT_SOCK || type == DT_CHR || type == DT_BLK;
}

}  // namespace

std::vector<LocalEntry> local_entries(const Config& config, const std::string& path) {
  std::vector<LocalEntry> found;
  const Result<Tree> tree = Tree::open(config.staging(), config.prefix());
  struct stat st {};
  if (!tree || tree.value().look(path, &st) != Sight::Present) return found;
  if (!S_ISDIR(st.st_mode)) {
    if (auto entry = entry_of(path.substr(path.rfind('/') + 1), st))
      found.push_back(std::move(*entry));
    return found;
  }
  const Directory entries =
      directory_of(tree.value().open_beneath(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY));
  while (const dirent* one = entries ? readdir(entries.get()) : nullptr) {
    if (one->d_type != DT_UNKNOWN && !is_special(one->d_type)) continue;
    if (fstatat(dirfd(entries.get()), one->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (auto entry = entry_of(one->d_name, st)) found.push_back(std::move(*entry));
  }
  return found;
}

LocalCount count_local_entries(const Config& config) {
  LocalCount count;
  const Result<Tree> tree = Tree::open(config.staging(), config.prefix());
  if (!tree) return count;
  const SystemClock clock;
  const uint64_t until = clock.now_ms() + kCountMs;
  std::vector<std::string> waiting = {"."};
  while (!waiting.empty()) {
    if (clock.now_ms() > until) {
      count.complete = false;
      break;
    }
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    const Directory entries = directory_of(tree.value().open_beneath(path, O_RDONLY | O_DIRECTORY));
    while (const dirent* one = entries ? readdir(entries.get()) : nullptr) {
      std::string name = one->d_name;
      if (name == "." || name == "..") continue;
      unsigned char type = one->d_type;
      struct stat st {};
      if (type == DT_UNKNOWN &&
          fstatat(dirfd(entries.get()), one->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        type = static_cast<unsigned char>(IFTODT(st.st_mode));
      if (type == DT_DIR) waiting.push_back(name.insert(0, path + "/"));
      if (is_special(type)) count.entries++;
    }
  }
  return count;
}

const char* local_type_name(char type) {
  switch (type) {
    case 'p':
      return "fifo";
    case 's':
      return "socket";
    case 'c':
    case 'b':
      return "device";
    default:
      return nullptr;
  }
}

}  // namespace wbshim::ctl
