#include "tools/ctl/leftover_parts.h"

#include <doctest/doctest.h>

using namespace wbshim;
using namespace wbshim::ctl;

TEST_CASE("leftover parts: old, and known to nobody") {
  const uint64_t now = 1800000000000;
  const std::set<std::string> known = {"ours"};
  const auto leftover = [&](const char* id, uint64_t age_ms) {
    return is_leftover({{"k", id}, now - age_ms}, known, now);
  };
  CHECK(leftover("other", kLeftoverAge_ms + 1));
  CHECK_FALSE(leftover("other", kLeftoverAge_ms));
  CHECK_FALSE(leftover("other", 0));
  CHECK_FALSE(leftover("ours", 10 * kLeftoverAge_ms));
  CHECK_FALSE(is_leftover({{"k", "other"}, 0}, known, now));
  CHECK_FALSE(is_leftover({{"k", "other"}, now + 1000}, known, now));
}
