#include <stdio_ext.h>

#include "shim/calls.h"
#include "shim/commands.h"
#include "shim/uploader_call.h"

namespace wbshim {
namespace {

bool names_tree(int fd) {
  Scratch room;
  char* at = room.reserve(8192);
  Text name(at, at ? room.room() : 0);
  return at && descriptor_path(fd, &name) && paths::below(client::roots().tree, name.bytes()).data;
}

int flags_of_mode(const char* mode) {
  if (!mode) return O_RDONLY;
  bool update = strchr(mode, '+') != nullptr;
  if (mode[0] == 'r') return update ? O_RDWR : O_RDONLY;
  return (update ? O_RDWR : O_WRONLY) | O_CREAT;
}

}  // namespace

void note_open(const Mapped& m, int fd, int flags) {
  bool writing = !(flags & O_PATH) && opens_for_change(flags);
  if (!writing && !(flags & O_DIRECTORY)) {
    client::page().add(Counter::StagingReads);
    return;
  }
  int saved = errno;
  Scratch room;
  Bytes rel;
  bool temporary = (flags & O_TMPFILE) == O_TMPFILE;
  if (writing && !temporary) m.locate_cheaply(&room, &rel);
  descriptors::opened(fd, writing, rel);
  if (writing) {
    client::page().add(Counter::StagingCreates);
    // Not where the memory is a parent's.
    if (descriptors::writes(descriptors::mark(fd))) room::opened();
  }
  errno = saved;
}

bool writes_stats(const Mapped& m, int flags) {
  if (!m.is_stats() || (flags & O_PATH)) return false;
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
    errno = EEXIST;
    return true;
  }
  return ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC)) && m.refuses();
}

bool opens_for_change(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_TRUNC | O_CREAT)) != 0;
}

int open_mapped(int dirfd, const char* path, int flags, unsigned mode,
                int (*real)(int, const char*, int, unsigned), bool missing) {
  Mapped m(dirfd, path);
  if (!m.ok()) return -1;
  if (writes_stats(m, flags)) return -1;
  if (m.is_stats()) uploader_call::refresh_stats();
  bool changes = opens_for_change(flags);
  auto call = [&](const char* p) {
    return with_room(m, [&] {
      if (changes && m.inside()) room::before_open();
      return real(dirfd, p, flags, mode);
    });
  };
  int fd = reach(&m, call, Mapped::Last::Followed, missing);
  if (fd < 0 || !settings.on || !path) return fd;
  // Whether a descriptor's directory lies inside may cost a look into /proc: not for plain reads.
  bool matters =
      m.path() != path || changes || (flags & O_DIRECTORY) || dirfd == AT_FDCWD || path[0] == '/';
  if (matters && m.inside()) note_open(m, fd, flags);
  return fd;
}

FILE* open_stream(const char* path, const char* mode, FILE* (*real)(const char*, const char*)) {
  Mapped m(path);
  if (!m.ok()) return nullptr;
  if (m.is_stats() && pointers::path(mode) && writes_stats(m, flags_of_mode(mode) & ~O_CREAT))
    return nullptr;
  if (m.is_stats()) uploader_call::refresh_stats();
  FILE* stream = reach_with_room(&m, [&](const char* p) {
    if (settings.on && m.inside() && pointers::path(mode) && opens_for_change(flags_of_mode(mode)))
      room::before_open();
    return real(p, mode);
  });
  if (stream && settings.on && m.inside()) note_open(m, fileno(stream), flags_of_mode(mode));
  return stream;
}

FILE* reopen_stream(const char* path, const char* mode, FILE* stream,
                    FILE* (*real)(const char*, const char*, FILE*)) {
  Mapped m(path);
  if (!m.ok() || (m.is_stats() && writes_stats(m, flags_of_mode(mode)))) {
    // Whatever comes of it, the stream is closed.
    int error = errno;
    if (stream) close_stream(stream, [](FILE* s) { return NEXT(fclose)(s); });
    errno = error;
    return nullptr;
  }
  int child = commands::take(stream);
  int fd = stream ? fileno(stream) : -1;
  FILE* result;
  if (!tracked(fd)) {
    result = real(m.path(), mode, stream);
  } else {
    NEXT(fflush)(stream);
    Drop drop(fd);
    result = real(m.path(), mode, stream);
    drop.finish(false);
  }
  if (child != 0) {
    int saved = errno;
    commands::await(child);
    errno = saved;
  }
  if (!result || !settings.on) return result;
  // No path: the same file, in another mode.
  if (path ? m.inside() : client::active() && names_tree(fileno(result)))
    note_open(m, fileno(result), flags_of_mode(mode));
  return result;
}

int close_stream(FILE* stream, int (*real)(FILE*)) {
  if (int child = commands::take(stream)) {
    int result = real(stream);
    int status = commands::await(child);
    return status != 0 ? status : result;
  }
  int fd = stream && settings.on ? fileno(stream) : -1;
  if (!tracked(fd)) return real(stream);
  // What is still buffered belongs to the file that is judged and published.
  room::before_flush(fd, __fpending(stream), true);
  int flushed = NEXT(fflush)(stream);
  int flush_error = errno;
  Drop drop(fd);
  int result = real(stream);
  int late = drop.finish(true);
  if (result == 0 && flushed != 0) {
    errno = flush_error;
    return EOF;
  }
  if (result == 0 && late != 0) {
    errno = late;
    return EOF;
  }
  return result;
}

int flush_stream(FILE* stream, int (*real)(FILE*)) {
  int fd = stream && settings.on ? fileno(stream) : -1;
  if (tracked(fd)) room::before_flush(fd, __fpending(stream), false);
  return real(stream);
}

DIR* open_directory(const char* path) {
  Mapped m(path);
  if (!m.ok()) return nullptr;
  DIR* dir = reach(&m, [](const char* p) { return NEXT(opendir)(p); });
  if (dir && settings.on && m.inside()) descriptors::opened(dirfd(dir), false, {});
  return dir;
}

int close_directory(DIR* dir) {
  int fd = dir && settings.on ? dirfd(dir) : -1;
  if (tracked(fd)) Drop drop(fd);
  return NEXT(closedir)(dir);
}

}  // namespace wbshim
