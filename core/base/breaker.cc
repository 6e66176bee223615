#include "core/base/breaker.h"

namespace wbshim {
namespace {

// The word: end of the interval << 16 | reason << 8 | failures. 0: closed.
struct State {
  uint64_t until;
  Breaker::Why why;
  unsigned failures;
};

constexpr unsigned kMostFailures = 255;
// No interval is longer: a later end is of a clock that began anew, with a reboot.
constexpr uint64_t kLongestMs = 30000;

uint64_t pack(const State& s) {
  return s.until << 16 | static_cast<uint64_t>(s.why) << 8 | s.failures;
}

State unpack(uint64_t word) {
  return {word >> 16, static_cast<Breaker::Why>(word >> 8 & 0xff),
          static_cast<unsigned>(word & 0xff)};
}

uint64_t interval(Breaker::Why why, unsigned failures) {
  uint64_t first = 500, longest = kLongestMs;
  if (why == Breaker::Why::Absent) {
    first = 250;
    longest = 1000;
  }
  if (why == Breaker::Why::Refuses) longest = 5000;
  unsigned doublings = failures > 0 ? failures - 1 : 0;
  if (doublings > 10) return longest;
  return first << doublings < longest ? first << doublings : longest;
}

}  // namespace

bool Breaker::kept_by_uploader(uint64_t now) const {
  uint64_t beat = page_.uploader_beat.load(std::memory_order_relaxed);
  return beat != 0 && beat <= now && now - beat < kBeatGoodMs;
}

Breaker::Leave Breaker::ask(uint64_t now) {
  uint64_t word = page_.redis_breaker.load(std::memory_order_relaxed);
  if (word == 0) return Leave::Yes;
  State s = unpack(word);
  bool waiting = now < s.until && s.until - now <= kLongestMs;
  if (waiting || kept_by_uploader(now)) return Leave::No;
  if (s.failures < kMostFailures) s.failures++;
  s.until = now + interval(s.why, s.failures);
  return page_.redis_breaker.compare_exchange_strong(word, pack(s), std::memory_order_relaxed)
             ? Leave::Probe
             : Leave::No;
}

void Breaker::failed(Why why, uint64_t now) {
  uint64_t word = page_.redis_breaker.load(std::memory_order_relaxed);
  State s = unpack(word);
  s.why = why;
  if (s.failures == 0) s.failures = 1;
  s.until = now + interval(why, s.failures);
  page_.redis_breaker.store(pack(s), std::memory_order_relaxed);
  page_.redis_waited_ms.store(0, std::memory_order_relaxed);
}

void Breaker::answered(uint64_t took_ms, uint64_t now) {
  if (took_ms <= kQuickMs) {
    close();
    return;
  }
  uint64_t waited = page_.redis_waited_ms.fetch_add(took_ms, std::memory_order_relaxed) + took_ms;
  if (waited >= kPatienceMs) failed(Why::Silent, now);
}

void Breaker::close() {
  // Reading is cheap; writing takes the line away from the other processes.
  if (page_.redis_waited_ms.load(std::memory_order_relaxed) != 0)
    page_.redis_waited_ms.store(0, std::memory_order_relaxed);
  if (open()) page_.redis_breaker.store(0, std::memory_order_relaxed);
}

}  // namespace wbshim
