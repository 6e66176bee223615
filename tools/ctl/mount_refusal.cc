#include "tools/ctl/mount_refusal.h"

#include <fstream>

namespace wbshim::ctl {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool filtered() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Seccomp:", 0) == 0) return line.find('2') != std::string::npos;
  }
  return false;
}

// "/" is where something is mounted, unless we stand in a chroot.
bool chrooted() {
  std::ifstream mounts("/proc/self/mountinfo");
  if (!mounts) return false;
  for (std::string line; std::getline(mounts, line);) {
    // "36 35 98:0 /root-of-the-mount / options": the fifth word is the mount point.
    size_t at = 0;
    for (int word = 0; word < 4 && at != std::string::npos; word++) at = line.find(' ', at + 1);
    if (at != std::string::npos && line.compare(at, 3, " / ") == 0) return false;
  }
  return true;
}

}  // namespace

std::string mend_of_refusal(bool made) {
  if (chrooted()) {
    return "this is a chroot, whose root is no mount point; run it outside of the chroot, or enter "
           "one that is mounted (mount --rbind DIR DIR before chroot, as root)";
  }
  if (first_line("/proc/sys/kernel/unprivileged_userns_clone") == "0")
    return "unprivileged user namespaces are off; sysctl kernel.unprivileged_userns_clone=1 as "
           "root, or run as root";
  if (first_line("/proc/sys/user/max_user_namespaces") == "0")
    return "user namespaces are off; sysctl user.max_user_namespaces=10000 as root, or run as root";
  if (first_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1")
    return "AppArmor restricts user namespaces; sysctl "
           "kernel.apparmor_restrict_unprivileged_userns=0 as root, or a profile for shim-ctl that "
           "allows userns, or run as root";
  if (filtered())
    return "a seccomp filter is in force, as in a container; start that with CAP_SYS_ADMIN "
           "(docker run --cap-add SYS_ADMIN), or with a filter that allows unshare and mount";
  if (made) return "a security module, or the container, forbids mounting; run as root outside";
  return "the kernel or the container forbids it; run as root, or allow user namespaces";
}

}  // namespace wbshim::ctl
