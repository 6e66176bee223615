// What is to be done about room: the rule, without looking at anything itself.
#pragma once

#include <cstdint>

#include "core/base/pressure.h"

namespace wbshim {

struct PressureLimits {
  uint64_t max_staged = 0;       // WBSHIM_MAX_STAGED; 0: none
  uint64_t max_stage_write = 0;  // WBSHIM_MAX_STAGE_WRITE; 0: none
  double free_ratio = 0;         // WBSHIM_FREE_SPACE_RATIO; 0: none
};

// What was measured. The reserve counts as free. A total of 0: the file system has no such number.
struct PressureView {
  uint64_t staged_bytes = 0;
  uint64_t files_writing = 0;
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
  uint64_t total_inodes = 0;
  uint64_t free_inodes = 0;
  uint64_t reserve_bytes = 0;
  bool store_shares_disk = false;  // uploads take room instead of making evictable copies
};

struct Pressure {
  pressure::Level level = pressure::Level::None;
  uint64_t causes = 0;        // pressure::k… of that level
  uint64_t early_bytes = 0;   // so much is to be uploaded before its time, oldest first
  bool through = false;       // files are stored before their close returns
  bool uploads_help = false;  // at the hard mark: with each upload the level falls by itself
  bool tight = false;         // a single flush may meet a full disk

  uint64_t word() const;
  bool operator==(const Pressure&) const = default;
};

Pressure judge(const PressureView& view, const PressureLimits& limits);

}  // namespace wbshim
