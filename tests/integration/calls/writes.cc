// Every way to write to an open file, or to give it a size.
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

// The file of the path, read anew after the call.
void on(Table* table, const std::string& name, const std::function<long(int)>& call) {
  table->path(name, [=](const Argument& a) {
    const int fd = open(a.path, O_RDWR | O_CREAT | O_NONBLOCK, 0600);
    if (fd < 0) return status(fd);
    const std::string said = status(call(fd)) + " " + status(call(-1));
    struct stat st {};
    const bool known = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    return said + (known ? " size " + std::to_string(st.st_size) : "") + " " + status(close(fd));
  });
}

int sample() {
  const int fd = memfd_create("sample", 0);
  if (fd < 0 || write(fd, "sample", 6) != 6) _exit(97);
  return fd;
}

// A call that reads from `from` at its beginning.
long from_sample(const std::function<long(int from, off_t* at)>& call) {
  const int from = sample();
  off_t at = 0;
  const long moved = call(from, &at);
  const int error = errno;
  close(from);
  errno = error;
  return moved;
}

constexpr char kText[] = "written";
const struct iovec kPieces[] = {{const_cast<char*>(kText), 3}, {const_cast<char*>(kText), 7}};

void by_function(Table* table) {
  for (const char* name : {"write", "__write"})
    on(table, name,
       [=](int fd) { return libc<ssize_t(int, const void*, size_t)>(name)(fd, kText, 7); });
  for (const char* name : {"pwrite", "pwrite64", "__pwrite64"})
    on(table, name, [=](int fd) {
      return libc<ssize_t(int, const void*, size_t, off_t)>(name)(fd, kText, 7, 5);
    });
  on(table, "write:nothing",
     [](int fd) { return libc<ssize_t(int, const void*, size_t)>("write")(fd, nullptr, 7); });
  using Pieces = const struct iovec*;
  on(table, "writev",
     [](int fd) { return libc<ssize_t(int, Pieces, int)>("writev")(fd, kPieces, 2); });
  for (const char* name : {"pwritev", "pwritev64"})
    on(table, name,
       [=](int fd) { return libc<ssize_t(int, Pieces, int, off_t)>(name)(fd, kPieces, 2, 4); });
  for (const char* name : {"pwritev2", "pwritev64v2"})
    on(table, name, [=](int fd) {
      return libc<ssize_t(int, Pieces, int, off_t, int)>(name)(fd, kPieces, 2, 4, 0);
    });
  for (const char* name : {"sendfile", "sendfile64"})
    on(table, name, [=](int fd) {
      return from_sample([=](int from, off_t* at) {
        return libc<ssize_t(int, int, off_t*, size_t)>(name)(fd, from, at, 6);
      });
    });
  on(table, "copy_file_range", [](int fd) {
    off_t to = 2;
    return libc<ssize_t(int, off_t*, int, off_t*, size_t, unsigned)>("copy_file_range")(
        fd, nullptr, fd, &to, 0, 0);
  });
  on(table, "fflush", [](int fd) {
    FILE* stream = fd < 0 ? nullptr : fdopen(dup(fd), "w");
    if (stream) (void)fputs(kText, stream);
    const long result = libc<int(FILE*)>("fflush")(stream);
    if (stream) (void)fclose(stream);
    return result;
  });
}

void sizes(Table* table) {
  for (const char* name : {"fallocate", "fallocate64"})
    on(table, name,
       [=](int fd) { return libc<int(int, int, off_t, off_t)>(name)(fd, 0, 0, 5000); });
  for (const char* name : {"posix_fallocate", "posix_fallocate64"})
    on(table, name, [=](int fd) { return libc<int(int, off_t, off_t)>(name)(fd, 0, 6000); });
  for (const char* name : {"ftruncate", "ftruncate64"})
    on(table, name, [=](int fd) { return libc<int(int, off_t)>(name)(fd, 70); });
}

void to_disk(Table* table) {
  for (const char* name : {"fsync", "fdatasync"})
    on(table, name, [=](int fd) { return libc<int(int)>(name)(fd); });
  on(table, "sync_file_range", [](int fd) {
    return libc<int(int, off64_t, off64_t, unsigned)>("sync_file_range")(fd, 0, 0,
                                                                         SYNC_FILE_RANGE_WRITE);
  });
}

void by_number(Table* table) {
  auto* call = libc<long(long, ...)>("syscall");
  on(table, "syscall:write", [=](int fd) { return call(SYS_write, fd, kText, 7); });
  on(table, "syscall:pwrite64", [=](int fd) { return call(SYS_pwrite64, fd, kText, 7, 5L); });
  on(table, "syscall:writev", [=](int fd) { return call(SYS_writev, fd, kPieces, 2); });
  on(table, "syscall:pwritev", [=](int fd) { return call(SYS_pwritev, fd, kPieces, 2, 4L, 0L); });
  on(table, "syscall:pwritev2",
     [=](int fd) { return call(SYS_pwritev2, fd, kPieces, 2, 4L, 0L, 0); });
  on(table, "syscall:ftruncate", [=](int fd) { return call(SYS_ftruncate, fd, 80L); });
  on(table, "syscall:fallocate", [=](int fd) { return call(SYS_fallocate, fd, 0, 0L, 5500L); });
  on(table, "syscall:fsync", [=](int fd) { return call(SYS_fsync, fd); });
  on(table, "syscall:fdatasync", [=](int fd) { return call(SYS_fdatasync, fd); });
  on(table, "syscall:sync_file_range",
     [=](int fd) { return call(SYS_sync_file_range, fd, 0L, 0L, long{SYNC_FILE_RANGE_WRITE}); });
  on(table, "syscall:sendfile", [=](int fd) {
    return from_sample([=](int from, off_t* at) { return call(SYS_sendfile, fd, from, at, 6L); });
  });
  on(table, "syscall:copy_file_range", [=](int fd) {
    off_t to = 2;
    return call(SYS_copy_file_range, fd, 0L, fd, &to, 0L, 0L);
  });
}

}  // namespace

void add_writes(Table* table) {
  by_function(table);
  sizes(table);
  to_disk(table);
  by_number(table);
}

}  // namespace calls
