// Bytes per second. What went out beyond the rate is a debt that later time pays; time in which
// nothing went out is worth a tenth of a second at most, so that no pause is made up for by a rush.
// Pure: the time is handed in, in milliseconds that only go forward.
#pragma once

#include <cstdint>

namespace wbshim {

class RateLimit {
 public:
  static constexpr uint64_t kBurstMs = 100;
  static constexpr uint64_t kMost = uint64_t{1} << 50;

  // 0: no limit.
  explicit RateLimit(uint64_t bytes_per_second)
      : rate_(static_cast<int64_t>(bytes_per_second < kMost ? bytes_per_second : kMost)) {}

  bool limits() const { return rate_ > 0; }
  uint64_t bytes_per_second() const { return static_cast<uint64_t>(rate_); }
  // How many bytes may go now; without a limit, any number.
  uint64_t allowed(uint64_t now_ms);
  // Have gone, or will go at once.
  void take(uint64_t bytes, uint64_t now_ms);
  // When so many (and no more than a burst) may go; not before now_ms.
  uint64_t ready_at_ms(uint64_t bytes, uint64_t now_ms);

 private:
  void pay(uint64_t now_ms);
  int64_t burst() const;

  int64_t rate_;
  int64_t balance_ = 0;  // in thousandths of a byte, so that no millisecond is lost to rounding
  uint64_t paid_ms_ = 0;
  bool begun_ = false;
};

}  // namespace wbshim
