#include "tools/ctl/mount_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/layout.h"
#include "core/base/sys.h"
#include "core/util/display.h"
#include "core/util/fd.h"
#include "tools/ctl/mount_mirror.h"
#include "tools/ctl/mount_refusal.h"
#include "tools/ctl/paths.h"

namespace wbshim::ctl {
namespace {

// What is asked and done with the prefix are raw calls: shim-ctl may run under the library itself,
// which would answer with the tree.
bool look_at(const std::string& path, struct stat* st) {
  return sys::fstatat(AT_FDCWD, path.c_str(), st, 0) == 0;
}

constexpr const char* kOldRoot = ".wbshim-old-root";

Outcome refuse(const Config& config, const std::string& what, const std::string& how) {
  return Outcome::wrong("run --mount: " + config.shown(Option::PREFIX) +
                        " cannot be made a real directory: " + what + "; " + how +
                        "; or run without --mount");
}

Status write_file(const char* path, const std::string& text) {
  const Fd fd(open(path, O_WRONLY | O_CLOEXEC));
  if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return mount_error("cannot write", path);
  return Ok{};
}

Status enter_user_namespace() {
  const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
    return Error{std::string("no user namespace: ") + strerror(errno)};
  Status done = write_file("/proc/self/setgroups", "deny");
  if (done) done = write_file("/proc/self/uid_map", user + " " + user + " 1\n");
  if (done) done = write_file("/proc/self/gid_map", group + " " + group + " 1\n");
  return done;
}

Outcome enter_namespaces(const Config& config) {
  if (unshare(CLONE_NEWNS) != 0) {
    if (errno != EPERM)
      return refuse(config, std::string("no mount namespace: ") + strerror(errno),
                    mend_of_refusal(false));
    if (Status entered = enter_user_namespace(); !entered)
      return refuse(config, entered.message(), mend_of_refusal(false));
  }
  // A slave, not private: what the host mounts and unmounts later is seen here.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return refuse(config, mount_error("cannot detach the mounts below", "/").message,
                  mend_of_refusal(true));
  return {};
}

// The deepest directory above `path` that exists, if a name can be added to it.
Status find_parent(const std::string& path, std::string* parent) {
  struct stat st {};
  for (size_t end = path.rfind('/');; end = path.rfind('/', end - 1)) {
    *parent = end == 0 ? "/" : path.substr(0, end);
    if (look_at(*parent, &st) || end == 0) break;
  }
  errno = 0;
  if (!S_ISDIR(st.st_mode)) return Error{"'" + printable(*parent) + "' is no directory"};
  // What the kernel makes up has names that come and go: it cannot be put together anew.
  for (const char* made_up : {"/proc", "/sys"}) {
    if (*parent == made_up || parent->rfind(made_up + std::string("/"), 0) == 0)
      return Error{"no directory can be made in '" + printable(*parent) + "'"};
  }
  return Ok{};
}

Status seal(const std::string& path) {
  if (mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
    return mount_error("cannot make read-only", path);
  return Ok{};
}

Status bind(const std::string& from, const std::string& to) {
  if (mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return mount_error("cannot bind the staging tree at", to);
  return Ok{};
}

Status new_memory_directory(const std::string& at) {
  if (mount("wbshim", at.c_str(), "tmpfs", MS_NODEV | MS_NOSUID, "mode=0755,size=16m") != 0)
    return mount_error("cannot mount a directory in memory at", at);
  return Ok{};
}

// The new root is put together after the change: before it, it would stand in the old one and be
// bound into itself.
Status with_new_root(const Config& config) {
  const std::string old = std::string("/") + kOldRoot;
  Status done = new_memory_directory(config.staging());
  if (!done) return done;
  if (chdir(config.staging().c_str()) != 0 || mkdir(kOldRoot, 0700) != 0 ||
      syscall(SYS_pivot_root, ".", kOldRoot) != 0 || chdir("/") != 0)
    return mount_error("cannot change the root directory by way of", config.staging());
  done = mirror_directory(old, "/", kOldRoot);
  if (done) done = make_directories_below("/", config.prefix());
  if (done) done = bind(old + config.in_staging(layout::kTree), config.prefix());
  if (!done) return done;
  if (umount2(old.c_str(), MNT_DETACH) != 0 || rmdir(old.c_str()) != 0)
    return mount_error("cannot let go of the old root", old);
  return seal("/");
}

// The directory itself stays reachable by its descriptor when it is covered.
Status with_new_parent(const Config& config, const std::string& parent, const std::string& tree) {
  const Fd covered(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!covered) return mount_error("cannot open", parent);
  const std::string below = "/proc/self/fd/" + std::to_string(covered.get());
  Status done = new_memory_directory(parent);
  if (done) done = mirror_directory(below, parent, "");
  if (done) done = make_directories_below(parent, config.prefix());
  if (done) done = bind(tree, config.prefix());
  return done ? seal(parent) : done;
}

// errno afterwards: of the call that failed, 0 when it was none.
Status make_real(const Config& config, const std::string& tree) {
  const std::string& prefix = config.prefix();
  errno = 0;
  struct stat st {};
  if (look_at(prefix, &st)) {
    if (S_ISDIR(st.st_mode)) return bind(tree, prefix);
    errno = 0;
    return Error{"there is something else of that name"};
  }
  std::string parent;
  if (Status possible = find_parent(prefix, &parent); !possible) return possible;
  if (parent == "/") return with_new_root(config);
  if (Status made = make_directories_below(parent, prefix); made) return bind(tree, prefix);
  errno = 0;
  return with_new_parent(config, parent, tree);
}

// The kernel's name of the working directory must be the tree's: the library knows it by that.
std::string directory_afterwards(const Config& config, const std::string& tree) {
  const std::string here = working_directory(), &prefix = config.prefix();
  const bool inside = here.compare(0, prefix.size(), prefix) == 0 &&
                      (here.size() == prefix.size() || here[prefix.size()] == '/');
  return inside ? tree + here.substr(prefix.size()) : here;
}

Outcome check_prefix(const Config& config) {
  if (!config.prefix().empty()) return {};
  return Outcome::wrong(config.complaint(Option::PREFIX, "run --mount needs one, such as /wb"));
}

Outcome refuse_step(const Config& config, const Status& step) {
  const bool forbidden = errno == EPERM || errno == EACCES;
  return refuse(config, step.message(),
                forbidden ? mend_of_refusal(true)
                          : "choose another prefix (WBSHIM_PREFIX), or make the directory first");
}

}  // namespace

Outcome enter_mount_namespace(const Config& config) {
  if (Outcome checked = check_prefix(config); !checked.ok()) return checked;
  const std::string tree = config.in_staging(layout::kTree);
  if (mkdir(tree.c_str(), 0755) != 0 && errno != EEXIST)
    return Outcome::failed(mount_error("cannot make", tree).message);
  const std::string here = directory_afterwards(config, tree);
  if (Outcome entered = enter_namespaces(config); !entered.ok()) return entered;
  if (Status real = make_real(config, tree); !real) return refuse_step(config, real);
  if (chdir(here.c_str()) != 0)
    return refuse(config, mount_error("cannot return to the working directory", here).message,
                  "start it from another directory");
  return {};
}

Outcome try_mount_namespace(const Config& config) {
  if (Outcome checked = check_prefix(config); !checked.ok()) return checked;
  struct stat st {};
  std::string parent;
  Status step = Ok{};
  if (!look_at(config.prefix(), &st)) step = find_parent(config.prefix(), &parent);
  if (!step) return refuse_step(config, step);
  if (Outcome entered = enter_namespaces(config); !entered.ok()) return entered;
  step = new_memory_directory("/");
  return step ? Outcome{} : refuse_step(config, step);
}

}  // namespace wbshim::ctl
