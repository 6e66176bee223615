#include "core/store/refresh_plan.h"

#include <algorithm>

namespace wbshim {
namespace {

constexpr uint64_t kCalmPause_ms = 60'000;
constexpr uint64_t kUrgentPause_ms = 10'000;
constexpr uint64_t kShortestPause_ms = 1000;

}  // namespace

uint64_t next_refresh_ms(uint64_t expires_ms, uint64_t looked_ms, bool failed) {
  if (expires_ms == 0) return 0;
  const uint64_t from = expires_ms - std::min(expires_ms, kRefreshFrom_ms);
  if (looked_ms == 0) return from;
  const uint64_t left = expires_ms - std::min(expires_ms, looked_ms);
  uint64_t pause = failed && left <= kRefreshBy_ms ? kUrgentPause_ms : kCalmPause_ms;
  // Keys that live for a minute have no time for pauses of one.
  if (left > 0) pause = std::clamp(left / 4, kShortestPause_ms, pause);
  return std::max(from, looked_ms + pause);
}

}  // namespace wbshim
