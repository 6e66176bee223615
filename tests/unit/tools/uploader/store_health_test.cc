#include "tools/uploader/store_health.h"

#include <doctest/doctest.h>

#include "tests/unit/support/fake_clock.h"
#include "tools/uploader/tally.h"

using namespace wbshim;

namespace {

StoreResult result(StoreOutcome outcome, const std::string& error_class = "x") {
  StoreResult result;
  result.outcome = outcome;
  result.error_class = error_class;
  result.message = "because";
  return result;
}

struct Fixture {
  test::FakeClock clock;
  StoreHealth health{clock, [] { return 1.0; }};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "one failure is that request's own; three in a row mean that the store is away") {
  health.saw(result(StoreOutcome::TryLater));
  CHECK_FALSE(health.paused());
  CHECK(health.limit(20) == 20);
  CHECK(health.trouble() == "because");
  health.saw(result(StoreOutcome::Unknown));
  CHECK(health.paused());
  CHECK_FALSE(health.away());
  health.saw(result(StoreOutcome::TryLater));
  CHECK(health.away());
  CHECK(health.limit(20) == 0);
  CHECK(health.wants_probe());
  uint64_t until = health.paused_until();
  CHECK(until == clock.now + 400);
  health.saw(result(StoreOutcome::TryLater));  // of the same burst
  CHECK(health.paused_until() == until);
  clock.now = until;
  CHECK_FALSE(health.paused());
  health.probed(result(StoreOutcome::Unknown));
  CHECK(health.paused_until() == clock.now + 800);
  health.probed(result(StoreOutcome::Stored));
  CHECK_FALSE(health.away());
  CHECK(health.limit(20) == 20);
  CHECK(health.trouble().empty());
}

TEST_CASE_FIXTURE(Fixture, "a refusal is an answer, too; so is a directory in the way") {
  for (int i = 0; i < 5; i++) health.saw(result(StoreOutcome::Refused));
  for (int i = 0; i < 5; i++) health.saw(result(StoreOutcome::TryLater, kDirectoryInTheWay));
  CHECK_FALSE(health.away());
  CHECK_FALSE(health.paused());
}

TEST_CASE_FIXTURE(Fixture, "refused credentials are everybody's trouble at once") {
  health.saw(result(StoreOutcome::Credentials));
  CHECK(health.paused_until() == clock.now + 5000);
  CHECK(health.limit(20) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a request for fewer halves them, once a burst; successes raise them") {
  StoreResult slow = result(StoreOutcome::TryLater, "SlowDown");
  slow.throttled = true;
  CHECK(health.limit(16) == 16);
  for (int i = 0; i < 16; i++) health.saw(slow);
  CHECK(health.limit(16) == 8);
  CHECK(health.everybodys(slow));
  CHECK(health.paused());
  clock.now += 1000;
  health.saw(slow);
  CHECK(health.limit(16) == 4);
  for (int i = 0; i < 4; i++) health.saw(result(StoreOutcome::Stored));
  CHECK(health.limit(16) == 5);
  CHECK_FALSE(health.paused());
  for (int i = 0; i < 200; i++) health.saw(result(StoreOutcome::Stored));
  CHECK(health.limit(16) == 16);
  slow.retry_after_ms = 30000;
  health.saw(slow);
  CHECK(health.paused_until() == clock.now + 30000);
}

TEST_CASE_FIXTURE(Fixture, "a store that refuses everything is asked with an object of our own") {
  int back = 0;
  health.on_back = [&](bool blocked) { back += blocked ? 1 : 100; };
  health.saw(result(StoreOutcome::Blocked, "NoSuchBucket"));
  CHECK(health.away());
  CHECK(health.limit(20) == 0);
  CHECK(health.wants_probe());
  CHECK(health.paused_until() == clock.now + 1000);
  clock.now += 1000;
  health.probed(result(StoreOutcome::Blocked, "NoSuchBucket"));
  CHECK(health.paused_until() == clock.now + 2000);
  clock.now += 2000;
  health.probed(result(StoreOutcome::Stored));
  CHECK(health.limit(20) == 20);
  CHECK_FALSE(health.away());
  CHECK_FALSE(health.paused());
  CHECK(back == 1);
}

TEST_CASE_FIXTURE(Fixture, "somebody waits: the pause ends, but not one the store asked for") {
  for (int i = 0; i < 3; i++) health.saw(result(StoreOutcome::TryLater));
  CHECK(health.paused());
  CHECK(health.failures_ever() == 3);
  health.try_now();
  CHECK_FALSE(health.paused());
  CHECK(health.away());  // as before
  StoreResult later = result(StoreOutcome::TryLater);
  later.retry_after_ms = 30000;
  health.probed(later);
  health.try_now();
  CHECK(health.paused_until() == clock.now + 30000);
  clock.now += 30000;
  health.probed(result(StoreOutcome::Stored));
  CHECK_FALSE(health.paused());
  CHECK(health.failures_ever() == 4);
}

TEST_CASE_FIXTURE(Fixture, "the same refusal again and again: the object of our own is the judge") {
  StoreResult denied = result(StoreOutcome::Refused, "AccessDenied");
  for (unsigned i = 1; i < StoreHealth::kSuspicious; i++) health.saw(denied);
  CHECK(health.limit(20) == 20);
  health.saw(denied);
  CHECK(health.limit(20) == 0);
  CHECK_FALSE(health.away());
  SUBCASE("the files' own matter") {
    health.probed(result(StoreOutcome::Stored));
    for (int i = 0; i < 20; i++) health.saw(denied);
    CHECK(health.limit(20) == 20);
  }
  SUBCASE("the store's") {
    health.probed(denied);
    CHECK(health.blocked());
    CHECK(health.trouble() == "because");
  }
  SUBCASE("another kind in between") {
    health.probed(result(StoreOutcome::Stored));
    for (int i = 0; i < 20; i++)
      health.saw(result(StoreOutcome::Refused, i % 2 ? "AccessDenied" : "KeyTooLongError"));
    CHECK(health.limit(20) == 20);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "what is mended already is tried again at once, and counts for nothing") {
  StoreResult mended = result(StoreOutcome::TryLater, "ExpiredToken");
  mended.mended = true;
  for (int i = 0; i < 5; i++) health.saw(mended);
  CHECK_FALSE(health.paused());
  CHECK(health.failures() == 0);
  CHECK(health.everybodys(mended));
  CHECK_FALSE(health.everybodys(result(StoreOutcome::TryLater)));
}

TEST_CASE("tally: class names from a server become few and short labels") {
  Tally tally;
  tally.error("SlowDown");
  tally.error("SlowDown");
  tally.error("a b");
  tally.error("");
  tally.error(std::string(65, 'a'));
  CHECK(tally.errors["SlowDown"] == 2);
  CHECK(tally.errors["other"] == 3);
  for (int i = 0; i < 1000; i++) tally.error("class" + std::to_string(i));
  CHECK(tally.errors.size() <= 101);
}

TEST_CASE("tally: the lag's buckets") {
  Tally tally;
  tally.lag(0);
  tally.lag(1);
  tally.lag(1.5);
  tally.lag(1e9);
  CHECK(tally.lag_counts[0] == 2);
  CHECK(tally.lag_counts[1] == 1);
  CHECK(tally.lag_counts.back() == 1);
  CHECK(tally.lag_sum == doctest::Approx(1e9 + 2.5));
}
