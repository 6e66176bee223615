// The uploader's part of the circuit breaker that programs obey (core/base/breaker.h): it opens it
// when its own connection is lost, and closes it as soon as a new connection, made as a program
// would make it, is greeted, lets itself be written to, and is quick.
#pragma once

#include "core/base/redis_link.h"
#include "tools/uploader/context.h"

namespace wbshim {

class BreakerKeeper {
 public:
  explicit BreakerKeeper(Context& context) : context_(context) {}
  ~BreakerKeeper() { link_.close(); }
  BreakerKeeper(const BreakerKeeper&) = delete;
  BreakerKeeper& operator=(const BreakerKeeper&) = delete;

  // Waits for Breaker::kQuickMs at most, and seldom.
  void step();
  // When step() is worth calling again, Clock::now_ms().
  uint64_t next_ms() const { return next_ms_; }

 private:
  bool try_out();

  Context& context_;
  RedisLink link_;
  uint64_t next_ms_ = 0;
  uint64_t pause_ms_ = 0;
};

}  // namespace wbshim
