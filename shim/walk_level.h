// One directory that a walk (tree_walk.cc) is in: its open stream or, after the walk had to save a
// descriptor, the names that were left in it.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include "shim/heap_text.h"

namespace wbshim {

struct Level {
  Level* outer = nullptr;
  Level* inner = nullptr;
  DIR* stream = nullptr;
  HeapText names;        // each with its NUL; read when there is no stream
  size_t at = 0;         // the next one
  bool done = false;     // nothing further is wanted of it
  size_t path_size = 0;  // of the directory's own path
  int base = 0;          // where its name starts in that
  struct stat st {};

  // Null when memory is short.
  static Level* make();
  // Keeps errno.
  void destroy();
  void close_stream();

  // The next name but "." and ".."; null at the end. Valid until the next call.
  const char* next();
  // Reads what is left and closes the stream. False: no memory, the stream stays.
  bool save();
};

// The directory at a path that the kernel understands; null with errno.
DIR* open_stream_at(int dirfd, const char* path);
// Closes it without a look at our own tables, where it never was. Keeps errno.
void close_stream_of(DIR* stream);

inline bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

}  // namespace wbshim
