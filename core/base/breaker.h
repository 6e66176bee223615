// Whether Redis is worth a try: the circuit breaker that all processes of one client share. Its
// state is one word of the shared page, so a process that dies at any moment leaves nothing behind.
// Pure: the time is handed in. Keeps errno, takes no lock.
//
// Closed: everybody talks to Redis. It opens when an answer did not come in time, when Redis was
// not there or refused, and when slow answers have cost all processes together kPatienceMs since
// the last quick one. Open: nobody tries, changes go to the journal. While an uploader lives, it
// alone finds out whether Redis is back, and closes the breaker. Without one, a process may probe
// each time that a growing interval has passed; taking the turn is what starts the next interval,
// so that one probes and the others go on.
#pragma once

#include <cstdint>

#include "core/base/shared_page.h"

namespace wbshim {

class Breaker {
 public:
  static constexpr uint64_t kPatienceMs = 100;  // what Redis may cost before the breaker opens
  static constexpr uint64_t kQuickMs = 25;      // a slower answer counts against it
  static constexpr uint64_t kBeatMs = 500;      // the uploader says that it lives
  static constexpr uint64_t kBeatGoodMs = 3000;

  enum class Leave { No, Yes, Probe };  // Probe: once, and for kQuickMs at most
  enum class Why : uint8_t {
    Absent,   // nobody listens: costs nothing to find out
    Silent,   // no answer in time, or slow ones
    Refuses,  // it answers, and does not do it (full, read only, another password …)
  };

  explicit Breaker(SharedPage& page) : page_(page) {}

  bool open() const { return page_.redis_breaker.load(std::memory_order_relaxed) != 0; }
  // now: CLOCK_BOOTTIME in ms, here and below.
  Leave ask(uint64_t now);
  void failed(Why why, uint64_t now);
  // Redis did what it was told, after so many ms.
  void answered(uint64_t took_ms, uint64_t now);
  void close();

  // The uploader: it lives.
  void beat(uint64_t now) { page_.uploader_beat.store(now, std::memory_order_relaxed); }

 private:
  bool kept_by_uploader(uint64_t now) const;

  SharedPage& page_;
};

}  // namespace wbshim
