#include "core/base/options.h"

#include <doctest/doctest.h>

#include <string>

using namespace wbshim;

TEST_CASE("options: every default is a value of its kind") {
  for (const OptionRow& r : kOptions) {
    CAPTURE(r.name);
    CHECK(check(r.kind, r.fallback) == nullptr);
    CHECK(std::string(r.sentence).size() > 10);
  }
}

TEST_CASE("options: durations") {
  struct {
    const char* text;
    uint64_t ms;
  } good[] = {{"90", 90000},  {"90s", 90000}, {"10m", 600000}, {"1h30m", 5400000},
              {"250ms", 250}, {"0", 0},       {"1d", 86400000}};
  for (auto& g : good) {
    uint64_t ms = 1;
    CAPTURE(g.text);
    CHECK(parse_duration_ms(g.text, &ms));
    CHECK(ms == g.ms);
  }
  for (const char* bad :
       {"", "m", "10x", "-1", "1.5h", "10 m", "99999999999999999999", "999999999999d"}) {
    uint64_t ms;
    CAPTURE(bad);
    CHECK_FALSE(parse_duration_ms(bad, &ms));
  }
}

TEST_CASE("options: sizes are powers of 1024") {
  struct {
    const char* text;
    uint64_t bytes;
  } good[] = {{"0", 0},         {"26214400", 26214400}, {"25M", 26214400}, {"25MiB", 26214400},
              {"512k", 524288}, {"1T", 1ULL << 40}};
  for (auto& g : good) {
    uint64_t bytes = 1;
    CAPTURE(g.text);
    CHECK(parse_size(g.text, &bytes));
    CHECK(bytes == g.bytes);
  }
  for (const char* bad : {"", "M", "25X", "-1", "1.5M", "25 M", "9999999T", "25iB"}) {
    uint64_t bytes;
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad, &bytes));
  }
}

TEST_CASE("options: what is wrong is said, with what is expected") {
  CHECK(std::string(check(OptionKind::Choice_sync_batch, "later")) == "sync or batch");
  CHECK(check(OptionKind::Choice_sync_batch, "batch") == nullptr);
  CHECK(check(OptionKind::Choice_sync_batch, "or") != nullptr);
  CHECK(check(OptionKind::Name, "a/b") != nullptr);
  CHECK(check(OptionKind::Hours, "22-6") == nullptr);
  CHECK(check(OptionKind::Hours, "25-6") != nullptr);
  CHECK(check(OptionKind::Ratio, "0.1") == nullptr);
  CHECK(check(OptionKind::Ratio, "7") != nullptr);
}
