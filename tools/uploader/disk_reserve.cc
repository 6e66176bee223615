#include "tools/uploader/disk_reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/base/reserve.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

constexpr uint64_t kTimes = 3;
constexpr uint64_t kInodeSlack = uint64_t{4} * reserve::kInodes;

std::string inode_name(const std::string& staging, unsigned i) {
  return staging + "/" + reserve::kDir + "/inode." + std::to_string(i);
}

}  // namespace

DiskRoom look_at_disk(const std::string& path) {
  DiskRoom room;
  struct statvfs vfs = {};
  struct statfs fs = {};
  struct stat st = {};
  if (statvfs(path.c_str(), &vfs) != 0 || statfs(path.c_str(), &fs) != 0) return room;
  if (stat(path.c_str(), &st) == 0) room.device = st.st_dev;
  room.known = true;
  room.total_bytes = vfs.f_blocks * vfs.f_frsize;
  room.free_bytes = vfs.f_bavail * vfs.f_frsize;
  room.total_inodes = vfs.f_files;
  room.free_inodes = vfs.f_favail;
  room.in_memory = static_cast<unsigned long>(fs.f_type) == TMPFS_MAGIC;
  return room;
}

void DiskReserve::look() {
  struct stat st = {};
  bytes_ = inodes_ = 0;
  if (lstat((staging_ + "/" + reserve::kBytes).c_str(), &st) == 0)
    bytes_ = static_cast<uint64_t>(st.st_blocks) * 512;
  for (unsigned i = 0; i < reserve::kInodes; i++) {
    if (lstat(inode_name(staging_, i).c_str(), &st) == 0) inodes_++;
  }
}

bool DiskReserve::take_bytes(uint64_t size) {
  std::string path = staging_ + "/" + reserve::kBytes;
  // One that stands there is half made, or of another size.
  (void)unlink(path.c_str());
  Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return false;
  if (fallocate(file.get(), 0, 0, static_cast<off_t>(size)) == 0) return true;
  (void)unlink(path.c_str());
  return false;
}

void DiskReserve::take(const DiskRoom& room) {
  uint64_t size = room.known ? reserve::size_for(room.total_bytes, room.in_memory) : 0;
  if (size == 0) return;
  bool roomy = room.free_bytes >= kTimes * size;
  bool inodes_left = room.total_inodes == 0 || room.free_inodes >= kInodeSlack;
  // Without a directory there is nowhere to keep it.
  if (!roomy || !inodes_left) return;
  if (mkdir((staging_ + "/" + reserve::kDir).c_str(), 0700) != 0 && errno != EEXIST) return;
  if (bytes_ < size) (void)take_bytes(size);
  for (unsigned i = 0; room.total_inodes > 0 && inodes_ < reserve::kInodes && i < reserve::kInodes;
       i++) {
    Fd file(
        open(inode_name(staging_, i).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  }
  look();
}

bool DiskReserve::give_up() {
  bool given = reserve::give_up(staging_.c_str());
  look();
  return given;
}

}  // namespace wbshim
