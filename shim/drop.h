// The end of a descriptor: close, dup2 over it, fclose, exec, exit. What may have been written
// under the prefix is published.
#pragma once

#include "shim/borrowed.h"
#include "shim/descriptors.h"
#include "shim/room.h"
#include "shim/scratch.h"

namespace wbshim {

class Drop {
 public:
  // Before the real call: takes fd out of the table and learns its name while it still has one.
  explicit Drop(int fd);

  // After the real call. explicit_close: this is close() or fclose(), which can report; a file over
  // the size limit is then stored before it returns. Returns 0, or EIO when that failed.
  int finish(bool explicit_close);

 private:
  bool publish_ = false;
  bool over_limit_ = false;
  bool settled_ = true;                      // what the tier wants on disk is there
  room::Cause through_ = room::Cause::None;  // stored before the close returns, for want of room
  Bytes rel_;
  Scratch room_;
};

// Whether a descriptor needs a Drop. One load.
inline bool tracked(int fd) {
  return descriptors::mark(fd) != descriptors::Mark::None || borrowed::holds(fd);
}

// The process ends, or its image is replaced: publishes what is still open for writing and answered
// for by this process.
void sweep();

}  // namespace wbshim
