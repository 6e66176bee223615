// System calls without libc: no errno, no cancellation point, no interposition (libc's names are
// our own wrappers in the preloaded library). A negative result is -errno. x86-64 and aarch64.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include <cstddef>
#include <cstdint>

namespace wbshim::sys {

#if defined(__x86_64__)
inline long call(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}
#else
#error "wbshim knows the system calls of x86-64 and aarch64"
#endif

inline long arg(const volatile void* p) {
  return reinterpret_cast<long>(p);
}

inline int openat(int dir, const char* path, int flags, unsigned mode = 0) {
  return static_cast<int>(call(SYS_openat, dir, arg(path), flags, mode));
}
inline int close(int fd) {
  return static_cast<int>(call(SYS_close, fd));
}
inline long read(int fd, void* to, size_t n) {
  return call(SYS_read, fd, arg(to), static_cast<long>(n));
}
inline long pread(int fd, void* to, size_t n, int64_t at) {
  return call(SYS_pread64, fd, arg(to), static_cast<long>(n), at);
}
inline long write(int fd, const void* from, size_t n) {
  return call(SYS_write, fd, arg(from), static_cast<long>(n));
}
// Like the calls of libc; `flags` as AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
inline int fstatat(int dir, const char* path, struct stat* st, int flags) {
  return static_cast<int>(call(SYS_newfstatat, dir, arg(path), arg(st), flags));
}
inline int lstat(const char* path, struct stat* st) {
  return sys::fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}
inline int fstat(int fd, struct stat* st) {
  return static_cast<int>(call(SYS_fstat, fd, arg(st)));
}
inline long readlink(const char* path, char* to, size_t n) {
  return call(SYS_readlinkat, AT_FDCWD, arg(path), arg(to), static_cast<long>(n));
}
inline long getcwd(char* to, size_t n) {
  return call(SYS_getcwd, arg(to), static_cast<long>(n));
}
inline int mkdirat(int dir, const char* path, unsigned mode) {
  return static_cast<int>(call(SYS_mkdirat, dir, arg(path), mode));
}
inline int fcntl(int fd, int what, long argument = 0) {
  return static_cast<int>(call(SYS_fcntl, fd, what, argument));
}
inline int getpid() {
  return static_cast<int>(call(SYS_getpid));
}
inline unsigned getuid() {
  return static_cast<unsigned>(call(SYS_getuid));
}
inline void* mmap(size_t n, int prot, int flags, int fd) {
  long result = call(SYS_mmap, 0, static_cast<long>(n), prot, flags, fd, 0);
  return result < 0 && result > -4096 ? nullptr : reinterpret_cast<void*>(result);
}
inline void munmap(void* at, size_t n) {
  call(SYS_munmap, arg(at), static_cast<long>(n));
}
inline int ftruncate(int fd, int64_t size) {
  return static_cast<int>(call(SYS_ftruncate, fd, size));
}
inline long getdents(int fd, void* to, size_t n) {
  return call(SYS_getdents64, fd, arg(to), static_cast<long>(n));
}

inline int socket(int domain, int type) {
  return static_cast<int>(call(SYS_socket, domain, type, 0));
}
inline int connect(int fd, const void* address, size_t n) {
  return static_cast<int>(call(SYS_connect, fd, arg(address), static_cast<long>(n)));
}
inline long send(int fd, const void* from, size_t n) {
  return call(SYS_sendto, fd, arg(from), static_cast<long>(n), MSG_NOSIGNAL, 0, 0);
}
inline long recv(int fd, void* to, size_t n) {
  return call(SYS_recvfrom, fd, arg(to), static_cast<long>(n), 0, 0, 0);
}
inline int setsockopt(int fd, int level, int name, const void* value, unsigned n) {
  return static_cast<int>(call(SYS_setsockopt, fd, level, name, arg(value), n));
}

inline uint64_t clock_ms(clockid_t which) {
  struct timespec now {};
  call(SYS_clock_gettime, which, arg(&now));
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

}  // namespace wbshim::sys
