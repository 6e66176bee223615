#include "core/util/rate_limit.h"

#include <algorithm>

namespace wbshim {
namespace {

constexpr int64_t kParts = 1000;             // of a byte
constexpr uint64_t kLongPauseMs = 86400000;  // more pays no more

}  // namespace

// At the slowest rates it is still one byte.
int64_t RateLimit::burst() const {
  return std::max(rate_ * static_cast<int64_t>(kBurstMs), kParts);
}

void RateLimit::pay(uint64_t now_ms) {
  if (!begun_) paid_ms_ = now_ms;
  begun_ = true;
  if (now_ms <= paid_ms_) return;
  const auto passed = static_cast<int64_t>(std::min(now_ms - paid_ms_, kLongPauseMs));
  paid_ms_ = now_ms;
  int64_t more = 0;
  if (__builtin_mul_overflow(passed, rate_, &more) ||
      __builtin_add_overflow(balance_, more, &balance_)) {
    balance_ = burst();
  }
  balance_ = std::min(balance_, burst());
}

uint64_t RateLimit::allowed(uint64_t now_ms) {
  if (!limits()) return UINT64_MAX;
  pay(now_ms);
  return balance_ > 0 ? static_cast<uint64_t>(balance_ / kParts) : 0;
}

void RateLimit::take(uint64_t bytes, uint64_t now_ms) {
  if (!limits()) return;
  pay(now_ms);
  balance_ = std::max(balance_ - static_cast<int64_t>(std::min(bytes, kMost)) * kParts,
                      -static_cast<int64_t>(kMost) * kParts);
}

uint64_t RateLimit::ready_at_ms(uint64_t bytes, uint64_t now_ms) {
  if (!limits()) return now_ms;
  pay(now_ms);
  const int64_t wanted = std::min(
      static_cast<int64_t>(std::min<uint64_t>(bytes, INT64_MAX / kParts)) * kParts, burst());
  if (balance_ >= wanted) return now_ms;
  return now_ms + static_cast<uint64_t>((wanted - balance_ + rate_ - 1) / rate_);
}

}  // namespace wbshim
