// Time, as something that can be handed in.
#pragma once

#include <time.h>

#include <cstdint>

namespace wbshim {

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds that only go forward, suspended time included. Zero is nowhere in particular.
  virtual uint64_t now_ms() const = 0;
  // Milliseconds since 1970, as this machine believes.
  virtual uint64_t wall_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  uint64_t now_ms() const override { return read(CLOCK_BOOTTIME); }
  uint64_t wall_ms() const override { return read(CLOCK_REALTIME); }

 private:
  static uint64_t read(clockid_t which) {
    struct timespec t = {};
    clock_gettime(which, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1000 + static_cast<uint64_t>(t.tv_nsec) / 1000000;
  }
};

}  // namespace wbshim
