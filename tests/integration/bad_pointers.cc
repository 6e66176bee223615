// bad_pointers DIRECTORY: calls of libc with pointers that lead nowhere, for which libc itself only asks the
// kernel. Prints a line for each call and kind of pointer: what came back, or the signal that ended it.
// bad_pointers.py compares the lines of a bare directory with those under the prefix.
// NOLINTBEGIN
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

namespace {

std::string directory;
constexpr size_t kPage = 4096;

const char* in(const char* name) {
  static std::string kept[4];
  static int next = 0;
  std::string& to = kept[next++ % 4];
  to = directory + "/" + name;
  return to.c_str();
}

struct Pointer {
  const char* name;
  char* at;
};

// A page between two that are not mapped, or whatever `protection` says of the second.
char* page_before(int protection) {
  char* at =
      static_cast<char*>(mmap(nullptr, 3 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(at + kPage, kPage, PROT_READ | PROT_WRITE);
  memset(at + kPage, 'x', kPage);
  if (protection < 0)
    munmap(at + 2 * kPage, kPage);
  else
    mprotect(at + 2 * kPage, kPage, protection);
  return at + kPage;
}

// A path below DIRECTORY that ends with the page, without a NUL.
char* unended(size_t size) {
  char* text = page_before(-1) + kPage - size;
  memcpy(text, in(""), directory.size() + 1);
  return text;
}

std::vector<Pointer> pointers() {
  return {{"one", reinterpret_cast<char*>(1)},
          {"4095", reinterpret_cast<char*>(4095)},
          {"65535", reinterpret_cast<char*>(65535)},
          {"no address of the machine", reinterpret_cast<char*>(0x8000000000001000)},
          {"the kernel's", reinterpret_cast<char*>(0xffffffff81000000)},
          {"the last", reinterpret_cast<char*>(-1)},
          {"the last eight", reinterpret_cast<char*>(-8)},
          {"unmapped", page_before(-1) + kPage},
          {"not readable", page_before(PROT_NONE) + kPage},
          {"path without an end", unended(directory.size() + 40)},
          {"long path without an end", unended(kPage - 1)}};
}

// Where nothing can be written, or not as much as is asked for.
std::vector<Pointer> rooms() {
  std::vector<Pointer> all = pointers();
  all.resize(9);
  all.push_back({"read-only", page_before(PROT_READ) + kPage});
  all.push_back({"three bytes", page_before(-1) + kPage - 3});
  return all;
}

using Call = std::function<long(char*)>;

void run(const std::string& name, const std::vector<Pointer>& all, const Call& call) {
  for (const Pointer& p : all) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);
      errno = 0;
      const long result = call(p.at);
      printf("%s, %s: %ld %s\n", name.c_str(), p.name, result, errno ? strerrorname_np(errno) : "");
      fflush(stdout);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) printf("%s, %s: signal %d\n", name.c_str(), p.name, WTERMSIG(status));
  }
}

char* const kNone[] = {const_cast<char*>("x"), nullptr};

long spawned(const char* path, char* const* argv, char* const* envp, bool searched) {
  pid_t pid = 0;
  const int error = searched ? posix_spawnp(&pid, path, nullptr, nullptr, argv, envp)
                             : posix_spawn(&pid, path, nullptr, nullptr, argv, envp);
  errno = 0;
  int status = 0;
  if (error == 0) waitpid(pid, &status, 0);
  return error * 1000 + status;
}

void paths() {
  struct stat st {};
  struct statfs sf {};
  char buffer[100];
  const auto on = [](const char* name, const Call& call) { run(name, pointers(), call); };
  on("open", [](char* p) { return open(p, O_RDONLY); });
  on("open to create", [](char* p) { return open(p, O_RDWR | O_CREAT, 0600); });
  on("openat", [](char* p) { return openat(3, p, O_RDONLY); });
  on("stat", [&](char* p) { return stat(p, &st); });
  on("lstat", [&](char* p) { return lstat(p, &st); });
  on("fstatat", [&](char* p) { return fstatat(3, p, &st, 0); });
  on("access", [](char* p) { return access(p, 0); });
  on("unlink", [](char* p) { return unlink(p); });
  on("mkdir", [](char* p) { return mkdir(p, 0700); });
  on("rmdir", [](char* p) { return rmdir(p); });
  on("rename from", [](char* p) { return rename(p, in("new")); });
  on("rename to", [](char* p) { return rename(in("f"), p); });
  on("rename a directory to", [](char* p) { return rename(in("d"), p); });
  on("renameat2",
     [](char* p) { return renameat2(AT_FDCWD, in("f"), AT_FDCWD, p, RENAME_EXCHANGE); });
  on("link from", [](char* p) { return link(p, in("new")); });
  on("link to", [](char* p) { return link(in("f"), p); });
  on("symlink target", [](char* p) { return symlink(p, in("new")); });
  on("symlink", [](char* p) { return symlink("x", p); });
  on("readlink", [&](char* p) { return readlink(p, buffer, sizeof buffer); });
  on("chmod", [](char* p) { return chmod(p, 0600); });
  on("fchownat", [](char* p) { return fchownat(3, p, 0, 0, 0); });
  on("truncate", [](char* p) { return truncate(p, 0); });
  on("utimensat", [](char* p) { return utimensat(AT_FDCWD, p, nullptr, 0); });
  on("utimensat, times", [](char* p) {
    return utimensat(AT_FDCWD, in("f"), reinterpret_cast<struct timespec*>(p), 0);
  });
  on("statfs", [&](char* p) { return statfs(p, &sf); });
  on("chdir", [](char* p) { return chdir(p); });
  on("mknod", [](char* p) { return mknod(p, S_IFREG, 0); });
  on("mkfifo", [](char* p) { return mkfifo(p, 0600); });
  on("getxattr", [&](char* p) { return getxattr(p, "user.x", buffer, 10); });
  on("setxattr", [&](char* p) { return setxattr(p, "user.x", buffer, 1, 0); });
  on("inotify_add_watch", [](char* p) { return inotify_add_watch(4, p, IN_CREATE); });
  on("fopen", [](char* p) { return fopen(p, "r") != nullptr; });
  on("tempnam", [](char* p) { return tempnam(p, "x") != nullptr; });
  for (long number : {SYS_openat, SYS_statx, SYS_unlinkat, SYS_mkdirat, SYS_readlinkat})
    on(("number " + std::to_string(number)).c_str(),
       [=](char* p) { return syscall(number, AT_FDCWD, p, 0, 0, 0); });
  on("openat2, how",
     [](char* p) { return syscall(SYS_openat2, AT_FDCWD, in("f"), p, sizeof(struct open_how)); });
}

void programs() {
  const auto on = [](const char* name, const Call& call) { run(name, pointers(), call); };
  const auto list = [](char* p) { return reinterpret_cast<char* const*>(p); };
  char* vector[] = {const_cast<char*>("x"), nullptr, nullptr};
  on("execve", [](char* p) { return execve(p, kNone, kNone); });
  for (const char* path : {"f", "script", "/bin/true", "missing"}) {
    const std::string kept = path[0] == '/' ? path : directory + "/" + path;
    const char* file = kept.c_str();
    on((std::string("execve, argv of ") + path).c_str(),
       [=](char* p) { return execve(file, list(p), kNone); });
    on((std::string("execve, envp of ") + path).c_str(),
       [=](char* p) { return execve(file, kNone, list(p)); });
    on((std::string("execve, an argument of ") + path).c_str(),
       [&](char* p) { return vector[1] = p, execve(file, vector, kNone); });
    on((std::string("execve, a variable of ") + path).c_str(),
       [&](char* p) { return vector[1] = p, execve(file, kNone, vector); });
    on((std::string("posix_spawnp, envp of ") + path).c_str(),
       [=](char* p) { return spawned(file, kNone, list(p), true); });
  }
  on("posix_spawn", [](char* p) { return spawned(p, kNone, kNone, false); });
  on("execvpe, argv", [=](char* p) { return execvpe("true", list(p), kNone); });
  on("fexecve, envp",
     [=](char* p) { return fexecve(open("/bin/true", O_RDONLY), kNone, list(p)); });
  on("execveat", [=](char* p) { return execveat(3, p, kNone, kNone, 0); });
  on("number of execve", [](char* p) { return syscall(SYS_execve, p, nullptr, nullptr); });
  // Their shells are started with what leads nowhere.
  on("system", [](char* p) { return system(p); });
  on("popen", [](char* p) {
    FILE* f = popen(p, "r");
    return f ? pclose(f) : -1;
  });
}

void outputs() {
  const auto on = [](const char* name, const Call& call) { run(name, rooms(), call); };
  on("stat, result", [](char* p) { return stat(in("f"), reinterpret_cast<struct stat*>(p)); });
  on("lstat, result", [](char* p) { return lstat(in("into"), reinterpret_cast<struct stat*>(p)); });
  on("statx, result", [](char* p) {
    return statx(AT_FDCWD, in("into"), AT_SYMLINK_NOFOLLOW, STATX_ALL,
                 reinterpret_cast<struct statx*>(p));
  });
  on("statfs, result",
     [](char* p) { return statfs(in("f"), reinterpret_cast<struct statfs*>(p)); });
  for (const char* name : {"l", "into", "f"}) {
    on((std::string("readlink, room for ") + name).c_str(),
       [=](char* p) { return readlink(in(name), p, 100); });
    // A constant size would be refused by libc's inline function.
    const volatile size_t sizes[] = {0, 1, static_cast<size_t>(-1), size_t{1} << 31,
                                     (size_t{1} << 32) + 1};
    for (size_t size : sizes)
      on((std::string("readlink, size for ") + name).c_str(), [=](char*) {
        char room[100];
        return readlink(in(name), room, size);
      });
  }
  on("readlink of /proc, room",
     [](char* p) { return readlink("/proc/self/exe", p, 100) < 0 ? -1 : 0; });
  on("readlink of cwd, room",
     [](char* p) { return readlink("/proc/self/cwd", p, 100) < 0 ? -1 : 0; });
  on("getcwd", [](char* p) { return getcwd(p, 100) != nullptr; });
  on("getcwd, little room", [](char* p) { return getcwd(p, 3) != nullptr; });
  on("number of getcwd", [](char* p) { return syscall(SYS_getcwd, p, 100); });
}

void sockets() {
  const auto on = [](const char* name, const Call& call) { run(name, pointers(), call); };
  const auto into = [](const char* name, const Call& call) { run(name, rooms(), call); };
  const auto address = [](char* p) { return reinterpret_cast<struct sockaddr*>(p); };
  const auto size = [](char* p) { return reinterpret_cast<socklen_t*>(p); };
  static struct sockaddr_storage room;
  static socklen_t n;
  const auto stream = [] { return socket(AF_UNIX, SOCK_STREAM, 0); };
  const auto pair = [] {
    int both[2] = {-1, -1};
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, both) == 0 && write(both[1], "x", 1) == 1 ? both[0]
                                                                                        : -1;
  };
  on("bind", [=](char* p) { return bind(stream(), address(p), 20); });
  on("bind, no size", [=](char* p) { return bind(stream(), address(p), 0); });
  on("bind, great size",
     [=](char* p) { return bind(stream(), address(p), static_cast<socklen_t>(-1)); });
  on("connect", [=](char* p) { return connect(stream(), address(p), 20); });
  on("sendto", [=](char* p) { return sendto(pair(), "x", 1, 0, address(p), 20); });
  on("sendmsg", [=](char* p) { return sendmsg(pair(), reinterpret_cast<struct msghdr*>(p), 0); });
  on("sendmsg, name", [=](char* p) {
    struct msghdr m {};
    m.msg_name = p, m.msg_namelen = 20;
    return sendmsg(pair(), &m, 0);
  });
  on("sendmsg, data", [=](char* p) {
    struct msghdr m {};
    m.msg_iov = reinterpret_cast<struct iovec*>(p), m.msg_iovlen = 1;
    return sendmsg(pair(), &m, 0);
  });
  into("recvmsg",
       [=](char* p) { return recvmsg(pair(), reinterpret_cast<struct msghdr*>(p), MSG_DONTWAIT); });
  into("recvmsg, name", [=](char* p) {
    struct msghdr m {};
    m.msg_name = p, m.msg_namelen = 20;
    return recvmsg(pair(), &m, MSG_DONTWAIT);
  });
  into("recvfrom", [=](char* p) {
    return n = sizeof room, recvfrom(pair(), p + (p == nullptr), 1, MSG_DONTWAIT, address(p), &n);
  });
  into("recvfrom, size", [=](char* p) {
    char c;
    return recvfrom(pair(), &c, 1, MSG_DONTWAIT, address(reinterpret_cast<char*>(&room)), size(p));
  });
  into("getsockname", [=](char* p) { return n = sizeof room, getsockname(5, address(p), &n); });
  into("getsockname, size",
       [=](char* p) { return getsockname(5, address(reinterpret_cast<char*>(&room)), size(p)); });
  into("getsockname, great size", [=](char*) {
    return n = static_cast<socklen_t>(-1),
           getsockname(5, address(reinterpret_cast<char*>(&room)), &n);
  });
  into("getpeername",
       [=](char* p) { return n = sizeof room, getpeername(pair(), address(p), &n); });
  into("accept", [=](char* p) {
    const int fd = stream();
    struct sockaddr_un to {};
    socklen_t length = sizeof to;
    if (getsockname(5, address(reinterpret_cast<char*>(&to)), &length) != 0 ||
        connect(fd, address(reinterpret_cast<char*>(&to)), length) != 0)
      return -2;
    n = sizeof room;
    const int accepted = accept(5, address(p), &n);
    return accepted < 0 ? -1 : 0;
  });
  on("accept without an address", [=](char*) {
    n = 0;
    return accept4(5, nullptr, &n, SOCK_NONBLOCK);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  directory = argv[1];
  int fd = open(in("f"), O_CREAT | O_WRONLY, 0755);
  FILE* script = fopen(in("script"), "w");
  if (fd < 0 || !script || fprintf(script, "#!/bin/true\n") < 0 || fclose(script) != 0 ||
      close(fd) != 0 || chmod(in("script"), 0755) != 0 || mkdir(in("d"), 0755) != 0 ||
      symlink("f", in("l")) != 0 || symlink(in("f"), in("into")) != 0 || chdir(in("d")) != 0)
    return 3;
  // Descriptors 3 to 5 for those that need one.
  struct sockaddr_un name {};
  name.sun_family = AF_UNIX;
  strncpy(name.sun_path, in("s"), sizeof name.sun_path - 1);
  if (open(directory.c_str(), O_RDONLY | O_DIRECTORY) != 3 || inotify_init1(0) != 4 ||
      socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0) != 5 ||
      bind(5, reinterpret_cast<struct sockaddr*>(&name), sizeof name) != 0 || listen(5, 1000) != 0)
    return 4;
  paths();
  programs();
  outputs();
  sockets();
}
// NOLINTEND
