#include "shim/walk_level.h"

#include <errno.h>

#include "core/base/sys.h"
#include "shim/next.h"

namespace wbshim {

DIR* open_stream_at(int dirfd, const char* path) {
  int fd = sys::openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    errno = -fd;
    return nullptr;
  }
  DIR* stream = fdopendir(fd);
  if (!stream) sys::close(fd);
  return stream;
}

void close_stream_of(DIR* stream) {
  int saved = errno;
  NEXT(closedir)(stream);
  errno = saved;
}

Level* Level::make() {
  auto* level = static_cast<Level*>(libc_heap::take(sizeof(Level)));
  if (level) *level = {};
  return level;
}

void Level::close_stream() {
  if (stream) close_stream_of(stream);
  stream = nullptr;
}

void Level::destroy() {
  int saved = errno;
  close_stream();
  names.give();
  libc_heap::give(this);
  errno = saved;
}

const char* Level::next() {
  if (done) return nullptr;
  if (!stream) {
    if (at >= names.size) return nullptr;
    const char* name = names.data + at;
    at += strlen(name) + 1;
    return name;
  }
  while (const struct dirent64* entry = readdir64(stream)) {
    if (!is_dot(entry->d_name)) return entry->d_name;
  }
  return nullptr;
}

bool Level::save() {
  HeapText left;
  while (const char* name = next()) {
    if (left.add(Bytes(name, strlen(name) + 1))) continue;
    left.give();
    errno = ENOMEM;
    return false;
  }
  close_stream();
  names = left;
  at = 0;
  return true;
}

}  // namespace wbshim
