#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "core/base/layout.h"
#include "core/util/display.h"
#include "tools/ctl/checks.h"

namespace wbshim::ctl {
namespace {

constexpr uint64_t kLowBytes = uint64_t{1} << 30;
constexpr uint64_t kLowInodes = 100000;
constexpr uint64_t kFewDescriptors = 1024;
constexpr unsigned kMostLookedAt = 200000;
constexpr unsigned long kCifs = 0xff534d42, kSmb2 = 0xfe534d42, kCeph = 0x00c36400,
                        kNinep = 0x01021997, kXfs = 0x58465342, kFuse = 0x65735546;

struct FileSystem {
  const char* name = "another file system";
  const char* trouble = "";
  const char* mend = "";
};

FileSystem file_system(const std::string& path) {
  struct statfs fs {};
  if (statfs(path.c_str(), &fs) != 0) return {};
  constexpr const char* kNetwork =
      "a network file system: its leases and renames cannot be relied on";
  constexpr const char* kLocal = "use a directory on a local disk (ext4, xfs, btrfs)";
  switch (static_cast<unsigned long>(fs.f_type)) {
    case EXT4_SUPER_MAGIC:
      return {"ext4"};
    case kXfs:
      return {"xfs"};
    case BTRFS_SUPER_MAGIC:
      return {"btrfs"};
    case TMPFS_MAGIC:
      return {"tmpfs", "memory: what is not uploaded is lost with a restart of the machine",
              kLocal};
    case OVERLAYFS_SUPER_MAGIC:
      return {"overlayfs", "the uploader runs in its reduced mode there", kLocal};
    case kFuse:
      return {"FUSE", "a file system in user space: the uploader may refuse it", kLocal};
    case NFS_SUPER_MAGIC:
      return {"NFS", kNetwork, kLocal};
    case kCifs:
    case kSmb2:
      return {"SMB", kNetwork, kLocal};
    case kCeph:
      return {"CephFS", kNetwork, kLocal};
    case kNinep:
      return {"9p", kNetwork, kLocal};
    default:
      return {};
  }
}

bool can_hold(const std::string& path) {
  struct stat st {};
  struct statfs fs {};
  if (stat(path.c_str(), &st) != 0 || statfs(path.c_str(), &fs) != 0) return false;
  const auto type = static_cast<unsigned long>(fs.f_type);
  return S_ISDIR(st.st_mode) && access(path.c_str(), W_OK | X_OK) == 0 &&
         type != PROC_SUPER_MAGIC && type != SYSFS_MAGIC;
}

// The staging directory, or the nearest directory above it that exists.
std::string nearest_existing(std::string path) {
  while (access(path.c_str(), F_OK) != 0 && path.size() > 1) path.erase(path.rfind('/'));
  return path.empty() ? "/" : path;
}

void check_disk(const Config& config, Findings& findings) {
  const std::string at = nearest_existing(config.staging());
  const bool there = at == config.staging();
  const std::string shown = config.shown(Option::STAGING_DIR) + (there ? "" : " (not made yet)");
  const char* mend = "choose another with WBSHIM_STAGING_DIR";
  if (!can_hold(at)) {
    findings.push_back(
        {Level::Error, "staging disk", shown + ": nothing can be made in " + printable(at), mend});
    return;
  }
  struct stat st {};
  if (there && stat(at.c_str(), &st) == 0 && st.st_uid != geteuid()) {
    findings.push_back({geteuid() == 0 ? Level::Warning : Level::Error, "staging disk",
                        shown + " belongs to user " + std::to_string(st.st_uid), mend});
  }
  const FileSystem fs = file_system(at);
  findings.push_back(
      {fs.trouble[0] != '\0' ? Level::Warning : Level::Ok, "staging disk",
       shown + " is on " + fs.name + (fs.trouble[0] != '\0' ? std::string(", ") + fs.trouble : ""),
       fs.mend});
  struct statvfs room {};
  if (statvfs(at.c_str(), &room) != 0) return;
  if (room.f_flag & ST_NOEXEC) {
    findings.push_back({Level::Warning, "staging disk",
                        "it is mounted noexec: programs under the prefix cannot be run", mend});
  }
  const uint64_t free = room.f_bavail * room.f_frsize;
  const double ratio = config.free_space_ratio();
  const double part = static_cast<double>(room.f_bavail) / static_cast<double>(room.f_blocks);
  // Uploads to the same disk make no room: there nobody hurries.
  if (room.f_blocks > 0 && part < 1.5 * ratio && !config.store_is_default()) {
    findings.push_back(
        {Level::Warning, "staging room",
         "only " + std::to_string(static_cast<int>(part * 100)) + " % is free: files are " +
             (part < ratio ? "stored before close returns" : "uploaded before their delay"),
         "make room, or lower WBSHIM_FREE_SPACE_RATIO (now " +
             config.text(Option::FREE_SPACE_RATIO) + ")"});
  }
  const bool low = free < kLowBytes || (room.f_files > 0 && room.f_favail < kLowInodes);
  findings.push_back(
      {low ? Level::Warning : Level::Ok, "staging room",
       human_bytes(free) + " free" +
           (room.f_files > 0 ? ", " + std::to_string(room.f_favail) + " inodes" : ""),
       low ? "make room: writes under the prefix fail when it is used up" : ""});
}

void check_descriptors(Findings& findings) {
  struct rlimit limit {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const bool few = limit.rlim_cur < kFewDescriptors;
  findings.push_back({few ? Level::Warning : Level::Ok, "limits",
                      std::to_string(limit.rlim_cur) + " open files a process",
                      few ? "raise it with ulimit -n 4096" : ""});
}

uint64_t directories_below(const std::string& path) {
  uint64_t directories = 1, seen = 0;
  std::error_code error;
  using Walk = std::filesystem::recursive_directory_iterator;
  const auto skip = std::filesystem::directory_options::skip_permission_denied;
  for (Walk at(path, skip, error), end; !error && at != end && seen < kMostLookedAt;
       at.increment(error), seen++) {
    std::error_code ignored;
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) directories++;
  }
  return directories;
}

void check_watches(const Config& config, Findings& findings) {
  std::ifstream file("/proc/sys/fs/inotify/max_user_watches");
  uint64_t watches = 0;
  if (!(file >> watches)) return;
  const uint64_t directories = directories_below(config.in_staging(layout::kTree));
  const bool few = directories > watches / 2;
  findings.push_back({few ? Level::Warning : Level::Ok, "limits",
                      std::to_string(watches) + " inotify watches, the tree has " +
                          std::to_string(directories) +
                          (directories == 1 ? " directory" : " directories"),
                      few ? "raise fs.inotify.max_user_watches with sysctl, as root, unless "
                            "`shim-ctl status --json` "
                            "says that fanotify is used: what cannot be watched is left to the scan"
                          : ""});
}

}  // namespace

void check_machine(const Config& config, Findings& findings) {
  check_disk(config, findings);
  check_descriptors(findings);
  check_watches(config, findings);
}

}  // namespace wbshim::ctl
