#include "shim/durable.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include "core/base/keys.h"
#include "core/base/sys.h"
#include "shim/client.h"
#include "shim/scratch.h"

namespace wbshim::durable {
namespace {

constexpr int kLook = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

bool sync(int fd) {
  long result = sys::call(SYS_fsync, fd);
  // What cannot be synced (a pipe, procfs) has nothing on a disk.
  return result == 0 || result == -EINVAL || result == -EROFS;
}

// On these, fsync of a file makes the name durable under which it was made or last renamed: both
// stand in one transaction. Elsewhere the directory wants a call of its own.
bool name_follows_bytes(int fd) {
  struct statfs fs {};
  if (sys::call(SYS_fstatfs, fd, sys::arg(&fs)) != 0) return false;
  auto type = static_cast<unsigned long>(fs.f_type);
  constexpr unsigned long kXfs = 0x58465342;
  return type == EXT4_SUPER_MAGIC || type == kXfs || type == BTRFS_SUPER_MAGIC ||
         type == TMPFS_MAGIC;
}

bool put_tree_path(Scratch& room, Bytes rel) {
  char* at = room.reserve(settings.tree_size + rel.size + 2);
  if (!at) return false;
  Text text(at, room.room());
  text.add(Bytes(settings.tree, settings.tree_size));
  if (rel.size > 0) text.add('/').add(rel);
  return text.ok();
}

bool settle_directory(Bytes rel) {
  Scratch room;
  if (!put_tree_path(room, rel)) return false;
  int dir = sys::openat(AT_FDCWD, room.text().data, kLook | O_DIRECTORY);
  // Gone, or one that may be searched but not read: its contents are told by the whole file system.
  if (dir == -ENOENT || dir == -ENOTDIR) return true;
  if (dir < 0) dir = sys::openat(AT_FDCWD, settings.tree, kLook | O_DIRECTORY);
  if (dir < 0) return false;
  bool whole = sys::call(SYS_fsync, dir) == 0;
  if (!whole) whole = sys::call(SYS_syncfs, dir) == 0;
  sys::close(dir);
  return whole;
}

// The bytes and attributes of what stands under a name now.
bool settle_named(Bytes rel) {
  Scratch room;
  struct stat st {};
  if (!put_tree_path(room, rel)) return false;
  const char* path = room.text().data;
  if (sys::lstat(path, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) return true;
  int fd = sys::openat(AT_FDCWD, path, kLook);
  if (fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR) return true;
  bool unreadable = fd < 0;
  if (unreadable) fd = sys::openat(AT_FDCWD, settings.tree, kLook | O_DIRECTORY);
  if (fd < 0) return false;
  bool whole = unreadable ? sys::call(SYS_syncfs, fd) == 0 : sync(fd);
  sys::close(fd);
  return whole;
}

// The directory that holds an open file's present name.
bool settle_name_of(int fd) {
  char link[40];
  Text text(link);
  text.add("/proc/self/fd/").number(fd);
  Scratch room;
  char* at = room.reserve(8192);
  long n = at ? sys::readlink(link, at, room.room() - 1) : -1;
  if (n <= 0) return false;
  while (n > 1 && at[n - 1] != '/') n--;
  at[n] = '\0';
  int dir = sys::openat(AT_FDCWD, at, kLook | O_DIRECTORY);
  if (dir < 0) return false;
  bool whole = sync(dir);
  sys::close(dir);
  return whole;
}

}  // namespace

Durability tier() {
  uint64_t volume = client::page().durability.load(std::memory_order_relaxed);
  auto own = static_cast<uint64_t>(settings.durability);
  uint64_t most = static_cast<uint64_t>(Durability::Remote);
  return static_cast<Durability>(own > volume || volume > most ? own : volume);
}

void settle_name(int fd) {
  int saved = errno;
  if (!name_follows_bytes(fd) && !settle_name_of(fd))
    client::log(0, "the name of a synced file may not be on disk", {});
  errno = saved;
}

bool settle_file(int fd) {
  if (!sync(fd)) return false;
  return name_follows_bytes(fd) || settle_name_of(fd);
}

void settle_journal() {
  int fd = sys::openat(AT_FDCWD, client::journal_file(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  // Taken by the uploader meanwhile: it tells Redis.
  if (fd == -ENOENT) return;
  if (fd < 0 || !sync(fd)) client::log(0, "the journal could not be written to the disk", {});
  if (fd >= 0) sys::close(fd);
}

void settle(const Change* changes, size_t count) {
  if (tier() == Durability::None) return;
  Bytes settled;
  for (size_t i = 0; i < count; i++) {
    if (changes[i].settled) continue;
    Bytes parent, name;
    keys::split(changes[i].rel, &parent, &name);
    bool whole = changes[i].act != Act::Changed || settle_named(changes[i].rel);
    if (i == 0 || !(parent == settled)) whole = settle_directory(parent) && whole;
    settled = parent;
    if (!whole) client::log(0, "could not be written to the staging disk", changes[i].rel);
  }
}

}  // namespace wbshim::durable
