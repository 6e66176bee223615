#include "tools/uploader/breaker_keeper.h"

#include <poll.h>

#include <algorithm>

#include "core/base/breaker.h"
#include "core/base/sys.h"
#include "core/util/bytes.h"

namespace wbshim {
namespace {

constexpr uint64_t kFirstPauseMs = 100;
constexpr uint64_t kLongestPauseMs = 1000;

uint64_t boot_ms() {
  return sys::clock_ms(CLOCK_BOOTTIME);
}

}  // namespace

bool BreakerKeeper::try_out() {
  std::vector<Bytes> probe;
  for (const std::string& word : context_.redis.probe()) probe.push_back(bytes(word));
  uint64_t end = boot_ms() + Breaker::kQuickMs;
  RedisLink::Step step = link_.begin(context_.redis.address(), probe.data(), probe.size());
  while (step == RedisLink::Step::Pending) {
    uint64_t now = boot_ms();
    if (now >= end) break;
    short events = link_.wants_to_write() ? POLLOUT : POLLIN;
    struct pollfd fd = {link_.fd(), events, 0};
    ::poll(&fd, 1, static_cast<int>(end - now));
    step = link_.advance();
  }
  link_.close();
  return step == RedisLink::Step::Ready;
}

void BreakerKeeper::step() {
  if (!context_.page) return;
  Breaker breaker(*context_.page);
  breaker.beat(boot_ms());
  uint64_t now = context_.clock.now_ms();
  if (now < next_ms_) return;
  next_ms_ = now + Breaker::kBeatMs;
  if (!context_.redis.connected()) {
    if (!breaker.open()) breaker.failed(Breaker::Why::Silent, boot_ms());
    pause_ms_ = 0;
    next_ms_ = now + kFirstPauseMs;
  } else if (breaker.open()) {
    if (try_out()) {
      breaker.close();
      pause_ms_ = 0;
    } else {
      pause_ms_ = std::clamp(pause_ms_ * 2, kFirstPauseMs, kLongestPauseMs);
      next_ms_ = now + pause_ms_;
    }
  }
}

}  // namespace wbshim
