// A clock that moves when it is told to.
#pragma once

#include "core/util/clock.h"

namespace wbshim::test {

class FakeClock final : public Clock {
 public:
  uint64_t now_ms() const override { return now; }
  uint64_t wall_ms() const override { return 1700000000000 + now; }

  uint64_t now = 1000;
};

}  // namespace wbshim::test
