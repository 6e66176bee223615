#include "tools/uploader/content.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/crc32c.h"
#include "core/base/record.h"
#include "core/store/crypto.h"

namespace wbshim {
namespace {

constexpr size_t kChunk = size_t{1} << 20;
constexpr int64_t kTwoTicksNs = 20000000;              // at the slowest clock, 100 Hz
constexpr int64_t kQuietNs = int64_t{2} * 1000000000;  // reduced mode: the last change is this old

// From Linux 6.13 on a change that is seen between two looks has another ctime, however soon.
bool has_fine_times() {
  static const bool fine = [] {
    struct utsname name = {};
    if (uname(&name) != 0) return false;
    char* rest = nullptr;
    unsigned long major = strtoul(name.release, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, nullptr, 10) : 0;
    return std::pair(major, minor) >= std::pair(6UL, 13UL);
  }();
  return fine;
}

Content failure(int error) {
  Content content;
  bool gone = error == ENOENT || error == ENOTDIR || error == ELOOP;
  content.outcome = gone ? ReadOutcome::Gone : ReadOutcome::Failed;
  content.message = std::string("the staged file cannot be read: ") + strerror(error);
  return content;
}

Content as(ReadOutcome outcome, const struct stat& st) {
  Content content;
  content.outcome = outcome;
  content.st = st;
  return content;
}

// A copy of this moment that nobody else can reach, where the file system shares blocks.
Fd private_copy(int fd, const std::string& directory) {
  Fd copy(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (copy && ioctl(copy.get(), FICLONE, fd) != 0) copy.reset();
  return copy;
}

Content read_file(const Tree& tree, const std::string& path, WriterTest& writers, bool by_copy) {
  Fd fd;
  Content opened = open_content(tree, path, writers, &fd);
  if (opened.outcome != ReadOutcome::Ready) return opened;
  const struct stat& before = opened.st;
  Fd copy = by_copy ? private_copy(fd.get(), tree.path()) : Fd();
  struct stat after = {};
  if (copy && fstat(fd.get(), &after) != 0) return failure(errno);
  auto body = std::make_shared<Body>();
  auto size = static_cast<size_t>(before.st_size);
  if (!read_bytes(copy ? copy.get() : fd.get(), 0, size, *body)) {
    return errno == 0 ? as(ReadOutcome::Changed, before) : failure(errno);
  }
  if (writers.reduced()) {
    Body again;
    if (!read_bytes(fd.get(), 0, size, again) || again.sha256_hex != body->sha256_hex ||
        writers.test(fd.get(), before) != Writers::None) {
      return as(ReadOutcome::Changed, before);
    }
  }
  if (!copy && fstat(fd.get(), &after) != 0) return failure(errno);
  Content content =
      as(record::same(before, after) ? ReadOutcome::Ready : ReadOutcome::Changed, after);
  if (content.outcome == ReadOutcome::Ready) content.body = std::move(body);
  return content;
}

Content read_other(const Tree& tree, const std::string& path, char type) {
  struct stat before = {};
  Sight sight = tree.look(path, &before);
  if (sight == Sight::Unknown) return failure(EIO);
  if (sight == Sight::Absent || record::type_of(before.st_mode) != type)
    return as(ReadOutcome::Gone, before);
  auto body = std::make_shared<Body>();
  if (type == 'l') {
    Result<std::string> target = tree.link_target(path);
    if (!target) return as(ReadOutcome::Changed, before);
    body->bytes = target.value();
  }
  body->sha256_hex = sha256_hex(body->bytes);
  struct stat after = {};
  sight = tree.look(path, &after);
  bool same = sight == Sight::Present && record::same(before, after);
  Content content = as(same ? ReadOutcome::Ready : ReadOutcome::Changed, after);
  if (same) content.body = std::move(body);
  return content;
}

}  // namespace

ObjectMeta meta_of(const struct stat& st, uint64_t generation) {
  ObjectMeta meta;
  meta.mode = st.st_mode;
  meta.uid = st.st_uid;
  meta.gid = st.st_gid;
  meta.mtime_ns = int64_t{st.st_mtim.tv_sec} * 1000000000 + st.st_mtim.tv_nsec;
  meta.generation = generation;
  return meta;
}

bool read_bytes(int fd, uint64_t at, size_t size, Body& body) {
  Sha256 hash;
  uint32_t crc = 0;
  body.bytes.resize(size);
  for (size_t done = 0; done < size;) {
    char* to = body.bytes.data() + done;
    const ssize_t n = pread(fd, to, std::min(kChunk, size - done), static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      if (n == 0) errno = 0;
      return false;
    }
    const auto count = static_cast<size_t>(n);
    hash.add({to, count});
    crc = crc32c(Bytes(to, count), crc);
    done += count;
  }
  body.sha256_hex = hash.hex();
  body.crc32c = crc;
  return true;
}

bool settled(const struct stat& st, bool reduced) {
  int64_t wait = reduced ? kQuietNs : has_fine_times() ? 0 : kTwoTicksNs;
  if (wait == 0) return true;
  struct timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t age =
      (int64_t{now.tv_sec} - st.st_ctim.tv_sec) * 1000000000 + now.tv_nsec - st.st_ctim.tv_nsec;
  // A clock that was set back must not hold a file for ever.
  return age < 0 || age >= wait;
}

Content open_content(const Tree& tree, const std::string& path, WriterTest& writers, Fd* file) {
  *file = tree.open_beneath(path, O_RDONLY);
  struct stat st = {};
  if (!*file || fstat(file->get(), &st) != 0) return failure(errno);
  if (!S_ISREG(st.st_mode)) return as(ReadOutcome::Gone, st);
  if (writers.test(file->get(), st) != Writers::None) return as(ReadOutcome::Writing, st);
  return as(settled(st, writers.reduced()) ? ReadOutcome::Ready : ReadOutcome::Changed, st);
}

Content look_at(const Tree& tree, const std::string& path, WriterTest& writers) {
  struct stat st = {};
  Fd fd = tree.open_beneath(path, O_PATH);
  if (!fd || fstat(fd.get(), &st) != 0) {
    // Absence is for those to judge who look with the whole rule.
    return failure(errno);
  }
  if (!S_ISREG(st.st_mode)) return as(ReadOutcome::Ready, st);
  fd = tree.open_beneath(path, O_RDONLY);
  if (!fd || fstat(fd.get(), &st) != 0) return failure(errno);
  bool free = writers.test(fd.get(), st) == Writers::None;
  return as(free ? ReadOutcome::Ready : ReadOutcome::Writing, st);
}

Content read_content(const Tree& tree, const std::string& path, char type, WriterTest& writers) {
  if (type != 'f') return read_other(tree, path, type);
  Content content = read_file(tree, path, writers, false);
  // A hot file would starve: the second try reads a copy.
  if (content.outcome == ReadOutcome::Changed) content = read_file(tree, path, writers, true);
  return content;
}

}  // namespace wbshim
