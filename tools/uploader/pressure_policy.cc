#include "tools/uploader/pressure_policy.h"

#include <algorithm>

namespace wbshim {
namespace {

using pressure::Level;

constexpr double kSoftFree = 1.5;
// Left beside the reserve for what stdio writes without asking.
constexpr uint64_t kTightBytes = uint64_t{1} << 20;
constexpr uint64_t kTightReserves = 8;
constexpr uint64_t kTightInodes = 64;

// 80 %, without overflow.
uint64_t soft_mark(uint64_t most) {
  return most - most / 5;
}

Level of_staged(const PressureView& view, const PressureLimits& limits) {
  if (limits.max_staged == 0 || view.staged_bytes < soft_mark(limits.max_staged))
    return Level::None;
  return view.staged_bytes >= limits.max_staged ? Level::Hard : Level::Soft;
}

Level of_free(uint64_t free, uint64_t total, double ratio) {
  if (total == 0 || ratio <= 0) return Level::None;
  double part = static_cast<double>(free) / static_cast<double>(total);
  if (part < ratio) return Level::Hard;
  return part < ratio * kSoftFree ? Level::Soft : Level::None;
}

}  // namespace

Pressure judge(const PressureView& view, const PressureLimits& limits) {
  const bool many = limits.max_stage_write > 0 && view.files_writing > limits.max_stage_write;
  const struct {
    uint64_t cause;
    Level level;
  } found[] = {
      {pressure::kStaged, of_staged(view, limits)},
      {pressure::kSpace, of_free(view.free_bytes, view.total_bytes, limits.free_ratio)},
      {pressure::kInodes, of_free(view.free_inodes, view.total_inodes, limits.free_ratio)},
      {pressure::kFiles, many ? Level::Hard : Level::None},
  };
  Pressure result;
  for (const auto& each : found) result.level = std::max(result.level, each.level);
  bool room_helps = !view.store_shares_disk;
  for (const auto& each : found) {
    if (each.level == Level::None) continue;
    if (each.level == result.level) result.causes |= each.cause;
    if (each.cause == pressure::kStaged) {
      // The mark itself is not over it: one byte more, so that the level falls.
      uint64_t over = view.staged_bytes - soft_mark(limits.max_staged) + 1;
      result.early_bytes = std::max(result.early_bytes, over);
      result.uploads_help = each.level == Level::Hard;
    } else if (each.cause != pressure::kFiles && room_helps) {
      result.early_bytes = UINT64_MAX;
    }
    bool presses =
        each.cause == pressure::kStaged || (each.cause != pressure::kFiles && room_helps);
    if (each.level == Level::Hard && presses) result.through = true;
  }
  uint64_t least = std::max(kTightBytes, kTightReserves * view.reserve_bytes);
  result.tight = view.total_bytes > 0 && view.free_bytes < least + view.reserve_bytes;
  if (view.total_inodes > 0 && view.free_inodes < kTightInodes) result.tight = true;
  return result;
}

uint64_t Pressure::word() const {
  return static_cast<uint64_t>(level) | causes | (through ? pressure::kThrough : 0) |
         (tight ? pressure::kTight : 0);
}

}  // namespace wbshim
