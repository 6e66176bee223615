// What the uploader tells every process about room, as one word of the shared page
// (SharedPage::pressure): a level, its causes and what to do. 0: nothing to do.
#pragma once

#include <cstdint>

#include "core/base/shared_page.h"
#include "core/base/sys.h"

namespace wbshim::pressure {

enum class Level : uint64_t { None = 0, Soft = 1, Hard = 2 };

// The level stands in the lowest two bits. Causes:
inline constexpr uint64_t kStaged = 4;   // bytes that wait, against WBSHIM_MAX_STAGED
inline constexpr uint64_t kSpace = 8;    // free bytes, against WBSHIM_FREE_SPACE_RATIO
inline constexpr uint64_t kInodes = 16;  // free inodes, against the same
inline constexpr uint64_t kFiles = 32;   // files open for writing, against WBSHIM_MAX_STAGE_WRITE
inline constexpr uint64_t kCauses = kStaged | kSpace | kInodes | kFiles;
// What to do:
inline constexpr uint64_t kThrough = 64;  // a file is stored before its close returns
inline constexpr uint64_t kWait = 128;    // opening for writing waits: room is on its way
inline constexpr uint64_t kTight = 256;   // so little is free that a flush asks first
inline constexpr uint64_t kCapped = 512;  // SharedPage::stage_room counts

inline Level level_of(uint64_t word) {
  return static_cast<Level>(word & 3);
}

// The uploader writes the word at least once a second. An older one was left by an uploader that
// was killed or hangs.
inline constexpr uint64_t kStaleMs = 5000;
inline bool fresh(const SharedPage& page) {
  uint64_t at = page.pressure_at.load(std::memory_order_relaxed);
  return sys::clock_ms(CLOCK_BOOTTIME) < at + kStaleMs;
}

}  // namespace wbshim::pressure
