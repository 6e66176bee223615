#include "tools/uploader/upload_hours.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <time.h>

using namespace wbshim;

namespace {

// One character an hour.
std::string day(const std::string& hours) {
  std::string out;
  for (unsigned hour = 0; hour < 24; hour++)
    out += parse_upload_hours(hours).open_at(hour) ? '#' : '.';
  return out;
}

unsigned hour_in(const char* zone, uint64_t wall_ms) {
  setenv("TZ", zone, 1);
  tzset();
  const unsigned hour = local_hour(wall_ms);
  unsetenv("TZ");
  tzset();
  return hour;
}

}  // namespace

TEST_CASE("upload hours: within a day, past midnight, always") {
  CHECK(day("1-5") == ".####...................");
  CHECK(day("0-1") == "#.......................");
  CHECK(day("22-24") == "......................##");
  CHECK(day("22-0") == "......................##");
  CHECK(day("22-6") == "######................##");
  CHECK(day("23-1") == "#......................#");
  CHECK(day("1-0") == ".#######################");
  for (const char* whole : {"", "0-24", "5-5", "0-0"}) {
    CAPTURE(whole);
    CHECK(day(whole) == std::string(24, '#'));
    CHECK(parse_upload_hours(whole).always());
  }
  CHECK_FALSE(parse_upload_hours("22-6").always());
}

TEST_CASE("upload hours: by the local clock, whatever it does") {
  const uint64_t noon_ms = 1'700'049'600'000;  // 2023-11-15 12:00 UTC
  CHECK(hour_in("UTC", noon_ms) == 12);
  CHECK(hour_in("TST-5", noon_ms) == 17);
  CHECK(hour_in("TST+13", noon_ms) == 23);
  CHECK(hour_in("UTC", noon_ms + 3'599'999) == 12);
  CHECK(hour_in("UTC", noon_ms + 3'600'000) == 13);
  // A night in which the clock goes from 3 back to 2: the hour of 2 comes twice, and none is skipped.
  const char* summer = "CET-1CEST,M3.5.0,M10.5.0/3";
  const uint64_t one_ms = 1'698'534'000'000;  // 2023-10-29 01:00 in Berlin
  const unsigned night[] = {1, 2, 2, 3};
  for (unsigned i = 0; i < 4; i++) CHECK(hour_in(summer, one_ms + i * 3'600'000ull) == night[i]);
}
