// The reserve on the staging disk: files under <staging>/run/reserve that only take up room, so
// that it can be given up by whoever meets a full disk: the uploader, the library, a start.
#pragma once

#include <cstdint>

namespace wbshim::reserve {

inline constexpr char kDir[] = "run/reserve";
inline constexpr char kBytes[] = "run/reserve/bytes";  // preallocated
inline constexpr unsigned kInodes = 16;                // empty files, "inode.0" and on

// Bytes to keep back on a file system of that size; 0: it is too small for a reserve. in_memory: a
// tmpfs, whose bytes cost more.
uint64_t size_for(uint64_t total_bytes, bool in_memory);

// Removes the files. True: there were some. Raw system calls, errno kept.
bool give_up(const char* staging);

}  // namespace wbshim::reserve
