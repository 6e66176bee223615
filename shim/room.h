// Room on the staging disk, from a program's side (core/base/pressure.h): waiting for it before a
// file is opened, storing a file before its close returns, and trying a call again that met a full
// disk. Every wait has an end; afterwards the program goes on as on a local disk.
#pragma once

#include <errno.h>

#include "core/base/pressure.h"
#include "shim/client.h"

namespace wbshim::room {

// A file is about to be opened for writing under the prefix. One load, unless room is short.
void wait_before_open();
inline void before_open() {
  const SharedPage& page = client::page();
  uint64_t word = page.pressure.load(std::memory_order_relaxed);
  if (__builtin_expect((word & (pressure::kWait | pressure::kCapped)) != 0, 0)) wait_before_open();
}

// Counts files open for writing; a fork's child does not answer for its parent's.
void opened();
void closed();  // not by a child on its parent's memory, whose files are not counted
void forked();
void leaving();  // an exec: what stays open is not this program's any more

// Why a file of that size, closed now, is to be stored before the close returns. It is counted as
// staged.
enum class Cause : unsigned char { None, Staged, Space, Files };
Cause to_store(uint64_t size);
// Has it stored. Whatever comes of it, the file is staged and queued.
void store(Bytes rel, Cause cause);

// A flush of so many bytes by libc is about to come, which nobody can try again. last: before a
// close, where a look at the disk is cheap enough to be made always.
void before_flush(int fd, size_t bytes, bool last);

// Second tries of one call.
class Again {
 public:
  // After a failure: whether the disk was full and room has been made meanwhile. error: errno, or
  // what a call of the posix_ family returned.
  bool after(int error, uint64_t wanted) { return is_full(error) && ask(error, wanted); }
  static bool is_full(int error) { return error == ENOSPC || error == EDQUOT; }

 private:
  bool ask(int error, uint64_t wanted);
  int tries_ = 0;
};

// A name needs a block or an inode at most.
inline constexpr uint64_t kName = 4096;

}  // namespace wbshim::room
