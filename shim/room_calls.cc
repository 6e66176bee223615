// write() and its family: wrapped only to be tried again after a full disk (room.h). A call that
// succeeds costs one branch. Threads are cancelled in these calls, so this file has unwind tables,
// and the wrappers in exports.cc jump here instead of calling.
#include <sys/uio.h>

#include "shim/calls.h"

namespace wbshim {
namespace {

// Whether it may be tried again.
[[gnu::noinline]] bool once_more(room::Again* again, int fd, uint64_t wanted) {
  int error = errno;
  bool ours = descriptors::writes(descriptors::mark(fd)) || borrowed::holds(fd);
  return settings.on && ours && again->after(error, wanted);
}

template <typename Call>
inline auto again_when_full(int fd, uint64_t wanted, Call call) -> decltype(call()) {
  auto result = call();
  if (__builtin_expect(result < 0, 0) && room::Again::is_full(errno)) {
    room::Again again;
    while (result < 0 && once_more(&again, fd, wanted)) result = call();
  }
  return result;
}

// Bad pointers are the kernel's to refuse: the pieces are not looked at.
constexpr uint64_t kPieces = 64 << 10;

}  // namespace

ssize_t write_fd(int fd, const void* data, size_t size, ssize_t (*real)(int, const void*, size_t)) {
  return again_when_full(fd, size, [=] { return real(fd, data, size); });
}

ssize_t write_fd_at(int fd, const void* data, size_t size, off_t at,
                    ssize_t (*real)(int, const void*, size_t, off_t)) {
  return again_when_full(fd, size, [=] { return real(fd, data, size, at); });
}

ssize_t write_pieces(int fd, const struct iovec* pieces, int count,
                     ssize_t (*real)(int, const struct iovec*, int)) {
  return again_when_full(fd, kPieces, [=] { return real(fd, pieces, count); });
}

ssize_t write_pieces_at(int fd, const struct iovec* pieces, int count, off_t at,
                        ssize_t (*real)(int, const struct iovec*, int, off_t)) {
  return again_when_full(fd, kPieces, [=] { return real(fd, pieces, count, at); });
}

ssize_t write_pieces_how(int fd, const struct iovec* pieces, int count, off_t at, int flags,
                         ssize_t (*real)(int, const struct iovec*, int, off_t, int)) {
  return again_when_full(fd, kPieces, [=] { return real(fd, pieces, count, at, flags); });
}

ssize_t send_file(int to, int from, off_t* at, size_t size,
                  ssize_t (*real)(int, int, off_t*, size_t)) {
  return again_when_full(to, size, [=] { return real(to, from, at, size); });
}

ssize_t copy_range(int from, off_t* from_at, int to, off_t* to_at, size_t size, unsigned flags) {
  return again_when_full(
      to, size, [=] { return NEXT(copy_file_range)(from, from_at, to, to_at, size, flags); });
}

int allocate(int fd, int mode, off_t at, off_t size, int (*real)(int, int, off_t, off_t)) {
  return again_when_full(fd, static_cast<uint64_t>(size), [=] { return real(fd, mode, at, size); });
}

// It returns the error, and keeps errno.
int allocate_surely(int fd, off_t at, off_t size, int (*real)(int, off_t, off_t)) {
  int result = real(fd, at, size);
  if (__builtin_expect(room::Again::is_full(result), 0)) {
    int saved = errno;
    room::Again again;
    while (room::Again::is_full(result)) {
      errno = result;
      if (!once_more(&again, fd, static_cast<uint64_t>(size))) break;
      result = real(fd, at, size);
    }
    errno = saved;
  }
  return result;
}

int change_size(int fd, off_t size, int (*real)(int, off_t)) {
  return again_when_full(fd, room::kName, [=] { return real(fd, size); });
}

long write_by_number(int fd, size_t size, long number, const long* a) {
  return again_when_full(fd, size,
                         [=] { return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]); });
}

}  // namespace wbshim
