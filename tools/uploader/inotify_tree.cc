#include "tools/uploader/inotify_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <memory>

#include "core/util/log.h"

namespace wbshim {
namespace {

// No IN_MODIFY: a program writes often and closes once.
constexpr uint32_t kMask = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
                           IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK;
constexpr size_t kDeepest = 4096;
constexpr size_t kReads = 16;
constexpr size_t kReadBytes = 65536;
// The other half of a rename is right behind; what has none has left the tree.
constexpr uint64_t kStrayMs = 2000;

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

}  // namespace

InotifyTree::InotifyTree(const Tree& tree, const Clock& clock)
    : tree_(tree), clock_(clock), fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!fd_)
    log_warn(std::string("watch: no inotify (") + strerror(errno) +
             "): changes made without the library are found by the scan only");
}

void InotifyTree::rebuild() {
  if (!fd_) return;
  std::string root = "/proc/self/fd/" + std::to_string(tree_.fd());
  int watch = inotify_add_watch(fd_.get(), root.c_str(), kMask);
  if (watch < 0) {
    failed(errno);
    return;
  }
  root_ = watch;
  nodes_[watch].inode = tree_.inode();
  tasks_.push_back({watch, Found::ByBuilding});
  building_++;
}

TreeLoss InotifyTree::losses() {
  TreeLoss loss = loss_;
  loss_ = {};
  return loss;
}

void InotifyTree::failed(int error) {
  // Gone again, or no directory: nothing to watch.
  if (error == ENOENT || error == ENOTDIR || error == ELOOP) return;
  loss_.directories = true;
  // The scan says which directories may not be read.
  if (error == EACCES || full_) return;
  full_ = true;
  log_warn(std::string("watch: ") + strerror(error) + " after " + std::to_string(nodes_.size()) +
           " directories: in the others, changes made without the library are found by the scan "
           "only; sysctl fs.inotify.max_user_watches allows more");
}

std::optional<std::string> InotifyTree::path_of(int watch) const {
  std::vector<const std::string*> names;
  for (int at = watch; at != root_;) {
    auto node = nodes_.find(at);
    if (node == nodes_.end() || !node->second.name || names.size() > kDeepest) return std::nullopt;
    names.push_back(node->second.name);
    at = node->second.parent;
  }
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) path = join(path, **name);
  return path;
}

// The directory itself: nothing when another one has its name now. An event yet to come tells its new
// name; until then it is noted as unsettled.
Fd InotifyTree::open_known(int watch) {
  std::optional<std::string> path = path_of(watch);
  Fd fd;
  struct stat st = {};
  if (path) fd = tree_.open_beneath(*path, O_PATH | O_DIRECTORY);
  if (fd && (fstat(fd.get(), &st) != 0 || st.st_ino != nodes_[watch].inode)) fd.reset();
  if (!fd) unsettled_.insert(watch);
  return fd;
}

void InotifyTree::unbind(int parent, const std::string& name) {
  auto node = nodes_.find(parent);
  if (node == nodes_.end()) return;
  auto child = node->second.children.find(name);
  if (child == node->second.children.end()) return;
  auto gone = nodes_.find(child->second);
  if (gone != nodes_.end()) {
    gone->second.parent = -1;
    gone->second.name = nullptr;
    strays_[child->second] = clock_.now_ms();
  }
  node->second.children.erase(child);
}

void InotifyTree::attach(int watch, int parent, const std::string& name) {
  Node& node = nodes_[watch];
  if (node.name) unbind(node.parent, std::string(*node.name));
  unbind(parent, name);
  auto [child, fresh] = nodes_[parent].children.emplace(name, watch);
  node.parent = parent;
  node.name = &child->first;
  strays_.erase(watch);
  // What could not be asked for below it may be, now that the names are right.
  for (int waiting : unsettled_) tasks_.push_back({waiting, Found::ByEvent});
  unsettled_.clear();
}

// Which directory has this name now?
void InotifyTree::bind(int directory_fd, int parent, const std::string& name, Found found,
                       std::vector<TreeEvent>& events) {
  std::string through = "/proc/self/fd/" + std::to_string(directory_fd) + "/" + name;
  int watch = inotify_add_watch(fd_.get(), through.c_str(), kMask | IN_DONT_FOLLOW);
  if (watch < 0) {
    int error = errno;
    unbind(parent, name);
    failed(error);
    return;
  }
  bool known = nodes_.count(watch) > 0;
  const auto& children = nodes_[parent].children;
  auto here = children.find(name);
  bool in_place = known && here != children.end() && here->second == watch;
  if (!known) {
    struct stat st = {};
    if (fstatat(directory_fd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0)
      nodes_[watch].inode = st.st_ino;
  }
  if (!in_place) attach(watch, parent, name);
  if (found == Found::ByBuilding) building_++;
  if (found == Found::ByBuilding || !known) tasks_.push_back({watch, found});
  if (known && !in_place) {
    std::optional<std::string> path = path_of(watch);
    if (path) events.push_back({*path, true});
  }
}

void InotifyTree::list(const Task& task, std::vector<TreeEvent>& events) {
  if (nodes_.count(task.watch) == 0) return;
  Fd known = open_known(task.watch);
  if (!known) return;
  std::optional<std::string> path = path_of(task.watch);
  Fd fd(openat(known.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, CloseDir> entries(fd ? fdopendir(fd.get()) : nullptr);
  if (!entries || !path) {
    failed(errno);
    return;
  }
  fd.release();
  while (const dirent* entry = readdir(entries.get())) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    // What was there before the watch has no event.
    if (task.found == Found::ByEvent) events.push_back({join(*path, name), false});
    if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
      bind(known.get(), task.watch, name, task.found, events);
  }
}

bool InotifyTree::step(uint64_t ms, std::vector<TreeEvent>& events) {
  uint64_t until = clock_.now_ms() + ms;
  while (!tasks_.empty()) {
    Task task = tasks_.front();
    tasks_.pop_front();
    list(task, events);
    if (task.found == Found::ByBuilding) building_--;
    if (clock_.now_ms() >= until) break;
  }
  drop_strays();
  return !tasks_.empty();
}

void InotifyTree::handle(const inotify_event& event, std::vector<TreeEvent>& events) {
  if (event.mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) loss_.events = true;
  if (event.mask & IN_IGNORED) forget(event.wd);
  if (event.len == 0 || nodes_.count(event.wd) == 0) return;
  std::string name = event.name;
  std::optional<std::string> directory = path_of(event.wd);
  bool moved = (event.mask & (IN_MOVED_FROM | IN_MOVED_TO)) != 0;
  bool is_directory = (event.mask & IN_ISDIR) != 0;
  // Where it lies is not known now: all of it is looked at when it is.
  if (directory) events.push_back({join(*directory, name), moved && is_directory});
  if (!is_directory) return;
  bool watched = nodes_[event.wd].children.count(name) > 0;
  // It may have become readable.
  if ((event.mask & IN_ATTRIB) && watched) return;
  Fd fd = open_known(event.wd);
  if (fd) bind(fd.get(), event.wd, name, Found::ByEvent, events);
}

bool InotifyTree::take(std::vector<TreeEvent>& events) {
  alignas(inotify_event) char room[kReadBytes];
  for (size_t i = 0; i < kReads; i++) {
    ssize_t n = read(fd_.get(), room, sizeof room);
    if (n <= 0) return i > 0;
    for (char* at = room; at < room + n;) {
      auto* event = reinterpret_cast<const inotify_event*>(at);
      handle(*event, events);
      at += sizeof *event + event->len;
    }
  }
  return true;
}

void InotifyTree::forget(int watch) {
  auto found = nodes_.find(watch);
  if (found == nodes_.end()) return;
  Node node = std::move(found->second);
  if (node.name) unbind(node.parent, std::string(*node.name));
  strays_.erase(watch);
  unsettled_.erase(watch);
  nodes_.erase(watch);
  for (const auto& [name, child] : node.children) {
    auto below = nodes_.find(child);
    if (below == nodes_.end()) continue;
    below->second.parent = -1;
    below->second.name = nullptr;
    strays_[child] = clock_.now_ms();
  }
}

// What has left the tree is watched no more, with all below it.
void InotifyTree::drop_strays() {
  uint64_t now = clock_.now_ms();
  std::vector<int> leaving;
  for (auto it = strays_.begin(); it != strays_.end();) {
    if (now < it->second + kStrayMs) {
      ++it;
      continue;
    }
    leaving.push_back(it->first);
    it = strays_.erase(it);
  }
  while (!leaving.empty()) {
    int watch = leaving.back();
    leaving.pop_back();
    auto node = nodes_.find(watch);
    if (node == nodes_.end()) continue;
    for (const auto& [name, child] : node->second.children) leaving.push_back(child);
    unsettled_.erase(watch);
    nodes_.erase(node);
    inotify_rm_watch(fd_.get(), watch);
  }
}

}  // namespace wbshim
