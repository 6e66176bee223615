#include "core/store/file_objects.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <vector>

#include "core/base/fault.h"
#include "core/store/crypto.h"
#include "core/store/file_io.h"

namespace wbshim {
namespace {

constexpr time_t kStaleTemporary = 86400;  // s; a leftover of a killed process, surely

mode_t kind_of(const ObjectMeta& meta) {
  return static_cast<mode_t>(meta.mode) & S_IFMT;
}

std::array<timespec, 2> times_of(const ObjectMeta& meta) {
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t seconds = meta.mtime_ns / kSecond;
  int64_t rest = meta.mtime_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    seconds--;
  }
  const timespec at{static_cast<time_t>(seconds), static_cast<long>(rest)};
  return {at, at};
}

int64_t mtime_ns_of(const struct stat& st) {
  return int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
}

int content_of(const char* name, int parent, const struct stat& st, std::string* out) {
  if (S_ISDIR(st.st_mode)) return 0;
  if (S_ISLNK(st.st_mode)) return read_link(parent, name, out);
  Fd fd(openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return errno;
  return read_all(fd.get(), std::numeric_limits<size_t>::max(), out);
}

}  // namespace

FileObjects::FileObjects() {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) < 0) random = static_cast<uint64_t>(getpid());
  char hex[17];
  (void)snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(random));
  temporary_prefix_ = hex;
}

int FileObjects::open(const std::string& directory) {
  return tree_.alive() ? 0 : tree_.open(directory);
}

int FileObjects::stage(const FileKey& key, FilePut& put) {
  if (key.directory) return 0;
  const int at = tree_.temporary_directory();
  const std::string name = temporary_prefix_ + "." + std::to_string(counter_++);
  const auto times = times_of(put.meta);
  if (kind_of(put.meta) == S_IFLNK) {
    if (put.body->bytes.find('\0') != std::string::npos || put.body->bytes.empty()) return EINVAL;
    if (symlinkat(put.body->bytes.c_str(), at, name.c_str()) != 0) return errno;
    put.temporary = name;
    return utimensat(at, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
  }
  put.file.reset(openat(at, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!put.file) return errno;
  put.temporary = name;
  if (const int error = write_all(put.file.get(), put.body->bytes)) return error;
  const mode_t mode = (static_cast<mode_t>(put.meta.mode) & 0777) | S_IRUSR;
  if (fchmod(put.file.get(), mode) != 0) return errno;
  if (futimens(put.file.get(), times.data()) != 0) return errno;
  WBSHIM_FAULT(FileStaged);
  // Starts the write-out now, so that the syncs of a batch find their data on the way.
  (void)sync_file_range(put.file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  return 0;
}

int FileObjects::move_into_place(const FileKey& key, const FilePut& put, int parent) const {
  const int from = tree_.temporary_directory();
  const char* name = key.name().c_str();
  if (renameat(from, put.temporary.c_str(), parent, name) == 0) return 0;
  if (errno != EISDIR && errno != ENOTEMPTY && errno != EEXIST) return errno;
  // A directory is in the way. An empty one was an object whose deletion has not come yet.
  if (unlinkat(parent, name, AT_REMOVEDIR) != 0) return errno == EEXIST ? ENOTEMPTY : errno;
  tree_.notes().erase(key.text + "/");
  return renameat(from, put.temporary.c_str(), parent, name) == 0 ? 0 : errno;
}

int FileObjects::commit_directory(const FileKey& key, const FilePut& put, std::string* etag) {
  Fd at;
  if (const int error = tree_.make_directory(key, key.segments.size(), dirty_, &at)) {
    return error;
  }
  const mode_t mode = (static_cast<mode_t>(put.meta.mode) & 0777) | S_IRWXU;
  struct stat st;
  if (fchmod(at.get(), mode) != 0 || fstat(at.get(), &st) != 0) return errno;
  if (futimens(at.get(), times_of(put.meta).data()) != 0) return errno;
  dirty_.add(at.get());
  FileNote note;
  note.describe(st);
  note.etag = sha256_hex("");
  note.meta = put.meta;
  *etag = note.etag;
  return tree_.notes().write(key.text, note);
}

int FileObjects::commit(const FileKey& key, FilePut& put, std::string* etag) {
  if (key.directory) return commit_directory(key, put, etag);
  Fd parent;
  if (const int error = tree_.make_directory(key, key.parent_depth(), dirty_, &parent)) {
    return error;
  }
  if (const int error = move_into_place(key, put, parent.get())) return error;
  WBSHIM_FAULT(FileRenamed);
  put.temporary.clear();
  put.changed = true;
  dirty_.add(parent.get());
  struct stat st;
  if (fstatat(parent.get(), key.name().c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  FileNote note;
  note.describe(st);
  note.etag = put.body->sha256_hex.empty() ? sha256_hex(put.body->bytes) : put.body->sha256_hex;
  note.meta = put.meta;
  *etag = note.etag;
  return tree_.notes().write(key.text, note);
}

void FileObjects::discard(const FilePut& put) const {
  if (!put.temporary.empty()) unlinkat(tree_.temporary_directory(), put.temporary.c_str(), 0);
}

int FileObjects::remove(const FileKey& key) {
  Fd parent;
  int error = tree_.find_directory(key, key.parent_depth(), &parent);
  if (error == 0 && !key.directory) {
    if (unlinkat(parent.get(), key.name().c_str(), 0) == 0) {
      dirty_.add(parent.get());
    } else {
      error = errno == EISDIR ? ENOENT : errno;  // a directory of that name is another object
    }
  }
  if (error != 0 && error != ENOENT) return error;
  WBSHIM_FAULT(FileRemoved);
  tree_.notes().erase(key.text);
  tree_.prune(key, key.directory ? key.segments.size() : key.parent_depth());
  return 0;
}

int FileObjects::look(const FileKey& key, bool with_content, StoreResult* result) const {
  Fd parent;
  struct stat st {};
  int error = tree_.find_directory(key, key.parent_depth(), &parent);
  if (error == 0 && fstatat(parent.get(), key.name().c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    error = errno;
  }
  const auto note = tree_.notes().read(key.text);
  const bool object = error == 0 && (key.directory ? S_ISDIR(st.st_mode) && note.has_value()
                                                   : S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
  if (error == ENOENT || (error == 0 && !object)) {
    result->outcome = StoreOutcome::Absent;
    return 0;
  }
  if (error != 0) return error;
  const bool known = note && note->describes(st);
  std::string content;
  if (with_content || !known) {
    error = content_of(key.name().c_str(), parent.get(), st, &content);
    if (error == ENOENT) result->outcome = StoreOutcome::Absent;
    if (error != 0) return error == ENOENT ? 0 : error;
  }
  result->etag = known ? note->etag : sha256_hex(content);
  result->generation = known ? note->meta.generation : 0;
  if (known) {
    result->meta = note->meta;
    result->meta.mtime_ns = mtime_ns_of(st);
  }
  result->size = S_ISDIR(st.st_mode) ? 0 : static_cast<uint64_t>(st.st_size);
  if (with_content) {
    result->size = content.size();
    result->body = std::move(content);
  }
  return 0;
}

int FileObjects::list(const FileKey& directory, Listing* listing) const {
  Fd at;
  const size_t depth = directory.segments.size();
  const int error = tree_.find_directory(directory, depth, &at);
  if (error == ENOENT) return 0;
  if (error != 0) return error;
  std::vector<std::string> names;
  if (const int unread = list_directory(at.get(), &names)) return unread;
  if (depth > 0) {
    if (const auto note = tree_.notes().read(directory.text))
      listing->objects.push_back({directory.text, note->etag, 0});
  }
  for (const std::string& name : names) {
    struct stat st;
    if (fstatat(at.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    std::string key = directory.text + name;
    if (S_ISDIR(st.st_mode)) {
      if (depth > 0 || name != kDotDir) listing->directories.push_back(key + "/");
    } else if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) {
      const auto note = tree_.notes().read(key);
      const bool known = note && note->describes(st);
      listing->objects.push_back(
          {std::move(key), known ? note->etag : std::string(), static_cast<uint64_t>(st.st_size)});
    }
  }
  return 0;
}

void FileObjects::drop_stale_temporaries() const {
  std::vector<std::string> names;
  if (list_directory(tree_.temporary_directory(), &names) != 0) return;
  for (const std::string& name : names) {
    struct stat st;
    if (fstatat(tree_.temporary_directory(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    // ctime: the mtime is the object's own.
    if (time(nullptr) - st.st_ctim.tv_sec < kStaleTemporary) continue;
    unlinkat(tree_.temporary_directory(), name.c_str(), 0);
  }
}

}  // namespace wbshim
