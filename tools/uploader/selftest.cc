#include "tools/uploader/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/util/display.h"
#include "core/util/fd.h"
#include "tools/uploader/writers.h"

namespace wbshim {
namespace {

// Two files in the directory, removed with the object.
class Scratch {
 public:
  explicit Scratch(const std::string& directory)
      : a(directory + "/.selftest-a." + std::to_string(getpid())),
        b(directory + "/.selftest-b." + std::to_string(getpid())) {}
  ~Scratch() {
    unlink(a.c_str());
    unlink(b.c_str());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string a, b;
};

std::string failed(const char* what) {
  return std::string(what) + ": " + strerror(errno);
}

Writers test_path(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st = {};
  return fd ? LeaseTest().test(fd.get(), st) : Writers::Unknown;
}

void try_leases(const std::string& path, SelftestFindings& found) {
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd || ftruncate(fd.get(), 4096) != 0) {
    found.failure = failed("cannot create a file");
    return;
  }
  found.lease_sees_descriptor = test_path(path) == Writers::Some;
  void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED) {
    found.failure = failed("cannot map a file for writing");
    return;
  }
  fd.reset();
  found.lease_sees_mapping = test_path(path) == Writers::Some;
  munmap(at, 4096);
  found.lease_free_afterwards = test_path(path) == Writers::None;
}

}  // namespace

SelftestFindings try_out(const std::string& directory) {
  SelftestFindings found;
  Scratch scratch(directory);
  try_leases(scratch.a, found);
  if (!found.failure.empty()) return found;
  if (symlink("/proc/!wb/selftest", scratch.b.c_str()) != 0) {
    found.failure = failed("cannot make a symbolic link");
    return found;
  }
  found.tmpfile =
      static_cast<bool>(Fd(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)));
  found.exchange =
      renameat2(AT_FDCWD, scratch.a.c_str(), AT_FDCWD, scratch.b.c_str(), RENAME_EXCHANGE) == 0;
  Fd dir(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  found.beneath = static_cast<bool>(
      Fd(static_cast<int>(syscall(SYS_openat2, dir.get(), ".", &how, sizeof how))));
  return found;
}

std::string file_system_name(const std::string& path) {
  struct statfs fs = {};
  if (statfs(path.c_str(), &fs) != 0) return "unknown";
  switch (static_cast<unsigned long>(fs.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case XFS_SUPER_MAGIC:
      return "xfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    case NFS_SUPER_MAGIC:
      return "nfs";
    case FUSE_SUPER_MAGIC:
      return "fuse";
    case F2FS_SUPER_MAGIC:
      return "f2fs";
    default:
      break;
  }
  char room[24];
  (void)snprintf(room, sizeof room, "0x%lx", static_cast<unsigned long>(fs.f_type));
  return room;
}

Result<StagingMode> judge(const SelftestFindings& findings, const std::string& directory) {
  std::string type = file_system_name(directory);
  std::string where =
      "the staging directory '" + printable(directory) + "' (WBSHIM_STAGING_DIR) is on " + type;
  std::string mend = "; use a directory on tmpfs, ext4, xfs or btrfs";
  if (!findings.failure.empty())
    return Error{where + ", where the self-test failed: " + findings.failure + mend};
  std::string missing;
  if (!findings.beneath) missing = "openat2 does not work (Linux 5.6 or newer is needed)";
  if (!findings.tmpfile) missing = "O_TMPFILE does not work";
  if (!findings.exchange) missing = "renames cannot be exchanges";
  if (!missing.empty()) return Error{where + ", where " + missing + mend};
  if (findings.lease_sees_descriptor && findings.lease_sees_mapping &&
      findings.lease_free_afterwards)
    return StagingMode{};
  // Only what is known to be no more than blind to mappings gets the reduced mode.
  if (type == "overlayfs") {
    return StagingMode{true, where +
                                 ", which does not tell whether a file is mapped for writing: "
                                 "reduced mode (processes are looked at one "
                                 "by one, files wait until they are quiet and are read twice)" +
                                 mend};
  }
  return Error{where + ", where a lease does not tell whether somebody writes" + mend};
}

}  // namespace wbshim
