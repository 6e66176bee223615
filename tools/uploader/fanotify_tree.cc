#include "tools/uploader/fanotify_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <memory>

#include "tools/uploader/directory_name.h"

namespace wbshim {
namespace {

// No FAN_MODIFY: a program writes often and closes once. FAN_EVENT_ON_CHILD says nothing on a file
// system's mark, whose events are of all its files.
constexpr uint64_t kMask = FAN_CLOSE_WRITE | FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FAN_ONDIR;
constexpr uint64_t kMoves = FAN_MOVED_FROM | FAN_MOVED_TO;
constexpr size_t kReads = 64;
constexpr size_t kReadBytes = 65536;
constexpr size_t kMostSeen = 1024;
constexpr size_t kDeepest = 4096;
constexpr uint64_t kCrowd = 10000;
constexpr uint64_t kCrowdMs = 1000;
constexpr uint64_t kProbeMs = 900;

Error failed(const char* what) {
  return Error{std::string(what) + ": " + strerror(errno)};
}

Fd any_file_in(const Fd& directory) {
  return Fd(openat(directory.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
}

// What /proc calls it: nothing when that is too long.
std::optional<std::string> proc_path(int fd) {
  char path[PATH_MAX];
  std::string link = "/proc/self/fd/" + std::to_string(fd);
  ssize_t size = readlink(link.c_str(), path, sizeof path);
  if (size <= 0 || static_cast<size_t>(size) == sizeof path) return std::nullopt;
  return std::string(path, static_cast<size_t>(size));
}

std::string join(const std::string& directory, const std::string& name) {
  if (name.empty()) return directory;
  return directory.empty() ? name : directory + "/" + name;
}

}  // namespace

Status FanotifyTree::start() {
  Status marked = mark();
  if (marked) marked = probe();
  if (!marked) fd_.reset();
  return marked;
}

Status FanotifyTree::mark() {
  mount_ = tree_.open_beneath("", O_RDONLY | O_DIRECTORY);
  if (!mount_) return failed("the tree cannot be opened");
  struct statfs fs = {};
  if (fstatfs(mount_.get(), &fs) != 0) return failed("statfs");
  if (fs.f_fsid.__val[0] == 0 && fs.f_fsid.__val[1] == 0)
    return Error{"the file system has no identity"};
  fd_.reset(fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_CLOEXEC | FAN_NONBLOCK,
                          O_RDONLY | O_CLOEXEC));
  if (!fd_) return failed("fanotify_init");
  // Since 5.17 a rename is one event.
  for (uint64_t moves : {static_cast<uint64_t>(FAN_RENAME), kMoves}) {
    if (fanotify_mark(fd_.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, kMask | moves, mount_.get(),
                      nullptr) == 0)
      return Ok{};
    if (errno != EINVAL) break;
  }
  return failed("fanotify_mark");
}

// A file that has no name and is closed leaves no trace but its event.
Status FanotifyTree::probe() {
  since_ms_ = clock_.now_ms();
  const uint64_t until = since_ms_ + kProbeMs;
  if (!any_file_in(mount_)) return failed("no file can be made in the tree");
  std::vector<TreeEvent> events;
  // It is queued before close() returns; a busy disk's come before it.
  while (take(events) && events.empty() && clock_.now_ms() < until) {
  }
  if (crowded_) return Error{"the disk is busy with other directories"};
  loss_ = {};
  if (events.empty()) return Error{"its events do not lead to the tree"};
  return Ok{};
}

TreeLoss FanotifyTree::losses() {
  TreeLoss loss = loss_;
  loss_ = {};
  return loss;
}

bool FanotifyTree::take(std::vector<TreeEvent>& events) {
  alignas(fanotify_event_info_fid) char room[kReadBytes];
  // What was asked for earlier may have been renamed by one whose event was lost, or the tree itself.
  seen_.clear();
  root_ = proc_path(mount_.get()).value_or("");
  bool some = false;
  for (size_t i = 0; i < kReads; i++) {
    ssize_t n = read(fd_.get(), room, sizeof room);
    if (n <= 0) break;
    some = true;
    // An event's length need not be a multiple of its alignment.
    fanotify_event_metadata event = {};
    const auto size = static_cast<size_t>(n);
    for (size_t at = 0; size - at >= sizeof event; at += event.event_len) {
      memcpy(&event, room + at, sizeof event);
      if (event.event_len < sizeof event || event.event_len > size - at) break;
      handle(event, room + at, events);
    }
  }
  if (some) count(clock_.now_ms());
  return some;
}

void FanotifyTree::handle(const fanotify_event_metadata& event, const char* bytes,
                          std::vector<TreeEvent>& events) {
  if (event.mask & FAN_Q_OVERFLOW) {
    loss_.events = true;
    seen_.clear();
    return;
  }
  bool directory = (event.mask & FAN_ONDIR) != 0;
  bool moved = directory && (event.mask & (kMoves | FAN_RENAME)) != 0;
  // All below it has another path now, also what an event names that is yet to come.
  if (moved) seen_.clear();
  // What went before a directory did leads nowhere now; another one may soon have its name.
  bool whole = moved || (directory && (event.mask & FAN_DELETE) != 0);
  bool ours = false;
  const char* end = bytes + event.event_len;
  const char* at = bytes + event.metadata_len;
  while (at + sizeof(fanotify_event_info_fid) + sizeof(file_handle) <= end) {
    auto* info = reinterpret_cast<const fanotify_event_info_fid*>(at);
    auto* known = reinterpret_cast<const file_handle*>(info->handle);
    const char* next = at + info->hdr.len;
    const char* handle_end = reinterpret_cast<const char*>(known->f_handle) + known->handle_bytes;
    if (info->hdr.len == 0 || next > end || handle_end > next) break;
    uint8_t type = info->hdr.info_type;
    if (type == FAN_EVENT_INFO_TYPE_DFID_NAME || type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME ||
        type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME) {
      const Place& place =
          place_of(reinterpret_cast<const char*>(known),
                   static_cast<size_t>(handle_end - reinterpret_cast<const char*>(known)));
      std::string name(handle_end, strnlen(handle_end, static_cast<size_t>(next - handle_end)));
      // A directory's own change of mode or owner is told by itself.
      if (name == ".") name.clear();
      ours = ours || place;
      if (place) events.push_back({join(*place, name), whole});
    }
    at = next;
  }
  all_++;
  if (!ours) foreign_++;
}

const FanotifyTree::Place& FanotifyTree::place_of(const char* handle, size_t size) {
  if (seen_.size() >= kMostSeen) seen_.clear();
  auto [found, fresh] = seen_.try_emplace(std::string(handle, size));
  if (fresh) found->second = resolve(handle, size);
  return found->second;
}

FanotifyTree::Place FanotifyTree::resolve(const char* handle, size_t size) {
  // The kernel's call takes it aligned, and not const.
  auto aligned = std::make_unique<uint32_t[]>(size / sizeof(uint32_t) + 1);
  memcpy(aligned.get(), handle, size);
  Fd fd(open_by_handle_at(mount_.get(), reinterpret_cast<file_handle*>(aligned.get()),
                          O_PATH | O_CLOEXEC));
  if (fd) return path_of(std::move(fd));
  // Gone; whatever else went wrong may hide a directory of ours.
  if (errno != ESTALE && errno != ENOENT) loss_.events = true;
  return std::nullopt;
}

FanotifyTree::Place FanotifyTree::path_of(Fd directory) {
  std::string below;
  for (size_t depth = 0; depth < kDeepest; depth++) {
    struct stat st = {};
    if (fstat(directory.get(), &st) != 0 || st.st_nlink == 0) return std::nullopt;
    if (st.st_ino == tree_.inode() && st.st_dev == tree_.device()) return below;
    std::optional<std::string> path = proc_path(directory.get());
    if (path) {
      if (path->size() <= root_.size() || path->compare(0, root_.size(), root_) != 0 ||
          (*path)[root_.size()] != '/')
        return std::nullopt;
      return join(path->substr(root_.size() + 1), below);
    }
    // Too long for /proc: its parent's may be short enough.
    Fd parent(openat(directory.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    std::optional<std::string> name = name_in(parent, st);
    if (!name) break;
    below = join(*name, below);
    directory = std::move(parent);
  }
  loss_.events = true;
  return std::nullopt;
}

void FanotifyTree::count(uint64_t now) {
  bool second_over = now > since_ms_ + kCrowdMs;
  if (!second_over && all_ < kCrowd) return;
  crowded_ = crowded_ || (!second_over && foreign_ >= all_ / 10 * 9);
  all_ = foreign_ = 0;
  since_ms_ = now;
}

}  // namespace wbshim
