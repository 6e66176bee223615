#include "core/store/clock_skew.h"

#include <doctest/doctest.h>

using namespace wbshim;

namespace {

constexpr uint64_t kDated_ms = 784111777000;  // Sun, 06 Nov 1994 08:49:37 GMT

}  // namespace

TEST_CASE("clock skew: HTTP's date") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == int64_t{kDated_ms});
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  for (const char* text : {"", "7", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37 CET",
                           "Sun, 06 Nov 1994 08:49:37 GMT x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE(
    "clock skew: measured against the middle of the exchange, taken back when it does not help") {
  ClockSkew skew;
  CHECK(skew.corrected(5) == 5);
  CHECK_FALSE(skew.refused(kDated_ms, 0, "Sun, 06 Nov 1994 08:52:37 GMT"));  // three minutes
  CHECK_FALSE(skew.refused(kDated_ms, 61000, "Sun, 06 Nov 1994 09:49:37 GMT"));
  CHECK_FALSE(skew.refused(kDated_ms, 0, "nonsense"));
  CHECK(skew.offset_ms() == 0);
  CHECK(skew.refused(kDated_ms, 20000, "Sun, 06 Nov 1994 09:49:37 GMT"));
  CHECK(skew.offset_ms() == 3590000);
  CHECK(skew.corrected(kDated_ms) == kDated_ms + 3590000);
  // The same again, though the request was corrected.
  CHECK_FALSE(skew.refused(kDated_ms, 0, "Sun, 06 Nov 1994 09:49:37 GMT"));
  CHECK(skew.offset_ms() == 0);
  // Behind, and then right again.
  CHECK(skew.refused(kDated_ms, 0, "Sun, 06 Nov 1994 07:49:37 GMT"));
  CHECK(skew.corrected(kDated_ms) == kDated_ms - 3600000);
  CHECK(skew.refused(kDated_ms, 0, "Sun, 06 Nov 1994 08:49:37 GMT"));
  CHECK(skew.offset_ms() == 0);
}
