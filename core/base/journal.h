// The journal: an append-only list of paths whose publish could not be confirmed. Raw system calls.
//
// File: <staging>/journal/current, mode 0600. A line, ended by NUL (paths hold every other byte):
//   "W" version(1)  length(4 hex: bytes of payload)  crc32c(8 hex: of payload)  SP  payload  NUL
//   payload = kind SP base SP path
//     kind  c  changed
//           u  removed
//           m  moved away: removed from here, but not deleted
//           h  held open across exec: look once nobody writes
//           t  a renamed directory: its whole subtree
//     base  decimal: the highest generation this client had seen (0: none), for replayed removals
//     path  relative to the prefix
// Writers open with O_APPEND, write one line in one write(), then fstat: link count 0 means the
// reader has taken the file, so the line goes into a new one. No locks (tests/model/e_journal.py).
// A torn or foreign line is skipped, counted, and makes the reader scan.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/span.h"

namespace wbshim::journal {

enum class Kind : char { Changed = 'c', Removed = 'u', Moved = 'm', Held = 'h', Tree = 't' };

struct Line {
  Kind kind = Kind::Changed;
  uint64_t base = 0;
  Bytes path;
};

inline constexpr size_t kMaxLine = 4096 + 64;

// Writes the line into `room`, returns its length with the NUL; 0 when it does not fit.
size_t encode(const Line& line, char* room, size_t size);

// Takes the first line off `*rest`. Result: a line; or Skipped (damaged, taken off all the same);
// or End (nothing whole is left).
enum class Next { Line, Skipped, End };
Next decode(Bytes* rest, Line* line);

// Appends to the journal, made when absent. `file`: its full path. False: nothing could be written
// (no space, no descriptor); the caller sets the shared page's scan flag. Signal-safe; small frame;
// leaves errno alone. keep: null, or where a descriptor of the journal is kept between calls (-1:
// none yet); it stands at or above keep_at, is close-on-exec, and is written to only while it still
// is the journal. Two threads may call at once.
bool append(const char* file, const Line& line, std::atomic<int>* keep = nullptr, int keep_at = 0);

}  // namespace wbshim::journal
