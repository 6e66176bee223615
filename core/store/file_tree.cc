#include "core/store/file_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/store/sync_all.h"

namespace wbshim {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t kPrivate = 0700;
constexpr mode_t kAsUmaskSays = 0777;

int open_at(int parent, const char* name, int flags, Fd* out) {
  Fd fd(openat(parent, name, flags));
  if (!fd) return errno;
  *out = std::move(fd);
  return 0;
}

int make_and_open_at(int parent, const char* name, mode_t mode, Fd* out) {
  if (mkdirat(parent, name, mode) != 0 && errno != EEXIST) return errno;
  return open_at(parent, name, kDirectory, out);
}

int make_all(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), kAsUmaskSays) != 0 && errno != EEXIST) {
      const int error = errno;
      struct stat st;  // a read-only or foreign parent that is there is none of our business
      if (stat(part.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) return error;
    }
    if (slash == std::string::npos) return 0;
  }
}

bool linked(int fd) {
  struct stat st;
  return fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

}  // namespace

Result<FileKey> FileKey::parse(const std::string& key) {
  FileKey out;
  if (key.empty()) return Error{"the key is empty"};
  if (key.find('\0') != std::string::npos) return Error{"the key holds a NUL byte"};
  out.text = key;
  out.directory = key.back() == '/';
  const std::string path = out.directory ? key.substr(0, key.size() - 1) : key;
  for (size_t start = 0; start <= path.size();) {
    const size_t slash = std::min(path.find('/', start), path.size());
    std::string segment = path.substr(start, slash - start);
    if (segment.empty()) return Error{"the key has an empty segment"};
    if (segment == "." || segment == "..") return Error{"the key has a segment '" + segment + "'"};
    out.segments.push_back(std::move(segment));
    start = slash + 1;
  }
  if (out.segments.front() == kDotDir) {
    return Error{"'.wbshim' at the top of a file:// store is the store's own directory"};
  }
  return out;
}

std::string FileKey::directory_key(size_t depth) const {
  std::string out;
  for (size_t i = 0; i < depth; i++) out += segments[i] + "/";
  return out;
}

void DirtyDirectories::add(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0) return;
  Fd& held = directories_[{st.st_dev, st.st_ino}];
  if (!held) held.reset(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

int DirtyDirectories::sync() {
  std::vector<int> descriptors;
  for (const auto& [identity, fd] : directories_) {
    if (fd) descriptors.push_back(fd.get());
  }
  int error = 0;
  for (const int each : sync_all(descriptors)) {
    // EINVAL: a file system that has nothing to sync in a directory.
    if (each != EINVAL && error == 0) error = each;
  }
  if (descriptors.size() < directories_.size() && error == 0) error = EMFILE;
  directories_.clear();
  return error;
}

int FileTree::open(const std::string& root) {
  if (const int error = make_all(root)) return error;
  Fd directory;
  Fd own;
  Fd temporary;
  Fd notes;
  if (const int error = open_at(AT_FDCWD, root.c_str(), kDirectory, &directory)) return error;
  if (const int error = make_and_open_at(directory.get(), kDotDir, kPrivate, &own)) return error;
  if (const int error = make_and_open_at(own.get(), "tmp", kPrivate, &temporary)) return error;
  if (const int error = make_and_open_at(own.get(), "notes", kPrivate, &notes)) return error;
  root_ = std::move(directory);
  temporary_ = std::move(temporary);
  notes_ = FileNotes(std::move(notes));
  return 0;
}

bool FileTree::alive() const {
  return linked(root_.get()) && linked(temporary_.get()) && linked(notes_.directory());
}

int FileTree::find_directory(const FileKey& key, size_t depth, Fd* out) const {
  Fd at(fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
  if (!at) return errno;
  for (size_t i = 0; i < depth; i++) {
    Fd next;
    const int error = open_at(at.get(), key.segments[i].c_str(), kDirectory | O_NOFOLLOW, &next);
    if (error != 0) return error == ENOTDIR || error == ELOOP ? ENOENT : error;
    at = std::move(next);
  }
  *out = std::move(at);
  return 0;
}

int FileTree::make_directory(const FileKey& key, size_t depth, DirtyDirectories& dirty,
                             Fd* out) const {
  Fd at(fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
  if (!at) return errno;
  for (size_t i = 0; i < depth; i++) {
    const char* name = key.segments[i].c_str();
    Fd next;
    int error = open_at(at.get(), name, kDirectory | O_NOFOLLOW, &next);
    if (error == ENOTDIR || error == ELOOP) {  // the object of that name gives way
      if (unlinkat(at.get(), name, 0) != 0 && errno != ENOENT) return errno;
      std::string displaced = key.directory_key(i + 1);
      displaced.pop_back();
      notes_.erase(displaced);
      error = ENOENT;
    }
    if (error == ENOENT) {
      if (mkdirat(at.get(), name, kAsUmaskSays) != 0 && errno != EEXIST) return errno;
      dirty.add(at.get());
      error = open_at(at.get(), name, kDirectory | O_NOFOLLOW, &next);
    }
    if (error != 0) return error;
    at = std::move(next);
  }
  *out = std::move(at);
  return 0;
}

void FileTree::prune(const FileKey& key, size_t depth) const {
  for (; depth > 0; depth--) {
    if (notes_.read(key.directory_key(depth))) return;
    Fd parent;
    if (find_directory(key, depth - 1, &parent) != 0) return;
    if (unlinkat(parent.get(), key.segments[depth - 1].c_str(), AT_REMOVEDIR) != 0) return;
  }
}

}  // namespace wbshim
