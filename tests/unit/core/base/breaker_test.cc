#include "core/base/breaker.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace wbshim;
using Leave = Breaker::Leave;
using Why = Breaker::Why;

namespace {

struct Fixture {
  SharedPage page{};
  Breaker breaker{page};
  uint64_t now = 1000000;

  // Milliseconds until the next probe is allowed; it is taken.
  uint64_t until_probe(uint64_t most = 100000) {
    for (uint64_t waited = 0; waited <= most; waited++, now++) {
      if (breaker.ask(now) == Leave::Probe) return waited;
    }
    return most + 1;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "breaker: closed, everybody may; open, nobody but one probe an interval") {
  CHECK(breaker.ask(now) == Leave::Yes);
  breaker.failed(Why::Silent, now);
  CHECK(breaker.open());
  CHECK(breaker.ask(now) == Leave::No);
  CHECK(breaker.ask(now + 499) == Leave::No);
  CHECK(breaker.ask(now + 500) == Leave::Probe);
  CHECK(breaker.ask(now + 500) == Leave::No);  // the turn is taken, whatever becomes of the prober
  CHECK(breaker.open());
}

TEST_CASE_FIXTURE(Fixture, "breaker: intervals grow to a bound, by reason") {
  breaker.failed(Why::Silent, now);
  uint64_t last = 0;
  for (uint64_t wanted :
       std::initializer_list<uint64_t>{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
    last = until_probe();
    CHECK(last == wanted);
    breaker.failed(Why::Silent, now);  // the probe failed
  }
  breaker.close();
  breaker.failed(Why::Absent, now);
  for (uint64_t wanted : std::initializer_list<uint64_t>{250, 500, 1000, 1000})
    CHECK(until_probe() == wanted);
  breaker.close();
  breaker.failed(Why::Refuses, now);
  for (uint64_t wanted : std::initializer_list<uint64_t>{500, 1000, 2000, 4000, 5000, 5000})
    CHECK(until_probe() == wanted);
  for (int i = 0; i < 1000; i++) until_probe();
  CHECK(until_probe() == 5000);
}

TEST_CASE_FIXTURE(Fixture, "breaker: a living uploader probes alone, a dead one does not count") {
  breaker.failed(Why::Absent, now);
  breaker.beat(now);
  CHECK(until_probe(2999) == 3000);
  CHECK(breaker.ask(now) == Leave::Probe);
  breaker.close();
  CHECK(breaker.ask(now) == Leave::Yes);
}

TEST_CASE_FIXTURE(Fixture, "breaker: what slow answers cost is added up until a quick one") {
  breaker.answered(90, now);
  CHECK_FALSE(breaker.open());
  breaker.answered(Breaker::kQuickMs, now);  // quick
  breaker.answered(90, now);
  CHECK_FALSE(breaker.open());
  breaker.answered(26, now);
  CHECK(breaker.open());
  breaker.answered(90, now);  // of somebody who had asked before
  CHECK(breaker.open());
  breaker.answered(1, now);
  CHECK_FALSE(breaker.open());
  breaker.answered(90, now);
  CHECK_FALSE(breaker.open());
  breaker.answered(10000, now);
  CHECK(breaker.open());
}

TEST_CASE_FIXTURE(Fixture, "breaker: times of before a reboot are void") {
  breaker.failed(Why::Silent, now);
  breaker.beat(now);
  CHECK(breaker.ask(50) == Leave::Probe);
}
