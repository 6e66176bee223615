// The bytes of one upload, read so that they are one state of the file and not two
// (PROTOCOL.md 2.1): fstat, writer test, read and hash, fstat equal. In this order only.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "core/store/store.h"
#include "core/volume/tree.h"
#include "tools/uploader/writers.h"

namespace wbshim {

enum class ReadOutcome {
  Ready,    // body and st belong together
  Writing,  // somebody writes, or may write: later
  Changed,  // it changed while it was read, or a moment ago: later
  Gone,     // nothing there, or another type than expected
  Failed,   // the disk or the rights refuse: message
};

struct Content {
  ReadOutcome outcome = ReadOutcome::Failed;
  std::shared_ptr<const Body> body;
  struct stat st = {};
  std::string message;
};

// Is the last change so old that one more would have another ctime? Before Linux 6.13 that takes two
// clock ticks; in reduced mode, where writers may be missed, two seconds. A younger file is Changed.
bool settled(const struct stat& st, bool reduced);

// A first look, before anything is claimed: Ready (without a body), Writing, Gone or Failed.
Content look_at(const Tree& tree, const std::string& path, WriterTest& writers);

// Opens a file to be read by parts, with the tests that come before the first byte: Ready (without a
// body), Writing, Changed, Gone or Failed. The caller reads, and compares with st afterwards.
Content open_content(const Tree& tree, const std::string& path, WriterTest& writers, Fd* file);

// type: f, d or l, as recorded. A directory has no bytes; a link's are its target.
Content read_content(const Tree& tree, const std::string& path, char type, WriterTest& writers);

// The attributes that the object of such a file has. generation: 0 while there is none.
ObjectMeta meta_of(const struct stat& st, uint64_t generation);

// `size` bytes from `at` on, with their hashes. False: errno, or 0 when the file is shorter.
bool read_bytes(int fd, uint64_t at, size_t size, Body& body);

}  // namespace wbshim
