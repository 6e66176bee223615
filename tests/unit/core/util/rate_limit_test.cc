#include "core/util/rate_limit.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wbshim;

namespace {

// Sends as much as it may, in pieces, looking every step_ms; answers with what went out in `ms`.
uint64_t sent_in(RateLimit& limit, uint64_t from_ms, uint64_t ms, uint64_t step_ms,
                 uint64_t piece) {
  uint64_t sent = 0;
  for (uint64_t now = from_ms; now < from_ms + ms; now += step_ms) {
    while (limit.allowed(now) > 0) {
      limit.take(piece, now);
      sent += piece;
    }
  }
  return sent;
}

}  // namespace

TEST_CASE("rate limit: none") {
  RateLimit limit(0);
  CHECK_FALSE(limit.limits());
  limit.take(UINT64_MAX, 5);
  CHECK(limit.allowed(5) == UINT64_MAX);
  CHECK(limit.ready_at_ms(100, 7) == 7);
}

TEST_CASE("rate limit: the rate is kept, whatever the pieces and however often it is looked at") {
  for (const uint64_t rate : {uint64_t{1000}, uint64_t{1} << 20, uint64_t{300} << 20}) {
    for (const uint64_t step : {uint64_t{1}, uint64_t{7}, uint64_t{50}}) {
      for (const uint64_t piece : {uint64_t{1} + rate / 5000, rate / 100, rate / 3, rate}) {
        CAPTURE(rate);
        CAPTURE(step);
        CAPTURE(piece);
        RateLimit limit(rate);
        const uint64_t sent = sent_in(limit, 1000, 10'000, step, piece);
        // The last piece's debt is still to be paid.
        CHECK(sent <= rate * 10 + piece + rate / 50);
        CHECK(sent >= rate * 10 * 97 / 100);
      }
    }
  }
}

TEST_CASE("rate limit: a pause is not made up for") {
  RateLimit limit(1000);
  CHECK(limit.allowed(1'000'000) == 0);  // nor is the time before the first byte
  CHECK(limit.allowed(1'000'050) == 50);
  CHECK(limit.allowed(9'000'000) == 100);
  limit.take(100, 9'000'000);
  CHECK(limit.allowed(9'000'000) == 0);
  CHECK(limit.allowed(8'000'000) == 0);  // a clock that goes back pays nothing
  CHECK(limit.allowed(UINT64_MAX) == 100);
}

TEST_CASE("rate limit: when it may go on") {
  RateLimit limit(1000);
  CHECK(limit.ready_at_ms(10, 100) == 110);
  limit.take(500, 100);
  CHECK(limit.ready_at_ms(1, 100) == 601);
  CHECK(limit.allowed(600) == 0);
  CHECK(limit.allowed(601) == 1);
  CHECK(limit.ready_at_ms(UINT64_MAX, 601) == 700);  // a burst is as much as there can be
  RateLimit slow(1);
  slow.take(1, 0);
  CHECK(slow.ready_at_ms(1, 0) == 2000);
  CHECK(slow.allowed(2000) == 1);
  RateLimit huge(INT64_MAX);
  CHECK(huge.allowed(0) == 0);
  CHECK(huge.allowed(1000) > 0);
}
