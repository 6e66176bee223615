#include "core/store/clock_skew.h"

#include <time.h>

#include <cstdlib>
#include <string>

namespace wbshim {
namespace {

// Servers take 15 minutes; what is less than this needs no correction.
constexpr int64_t kSmallMs = 240000;
// Two measurements of one skew may differ by so much.
constexpr int64_t kSameMs = 60000;
// The answer to such a request says nothing about when it was dated.
constexpr uint64_t kLongMs = 60000;

}  // namespace

bool ClockSkew::refused(uint64_t dated_ms, uint64_t took_ms, std::string_view date) {
  const auto theirs = parse_http_date(date);
  if (!theirs || took_ms > kLongMs) return false;
  const int64_t skew = *theirs - static_cast<int64_t>(dated_ms + took_ms / 2);
  const bool small = std::abs(skew) < kSmallMs;
  const bool corrected_so = offset_ms_ != 0 && std::abs(skew - offset_ms_) < kSameMs;
  const int64_t before = offset_ms_;
  offset_ms_ = small || corrected_so ? 0 : skew;
  // Taken back, because it did not help: that is no reason for another try at once.
  return offset_ms_ != before && !corrected_so;
}

std::optional<int64_t> parse_http_date(std::string_view text) {
  struct tm when = {};
  const std::string line(text);
  const char* end = strptime(line.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &when);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return int64_t{timegm(&when)} * 1000;
}

}  // namespace wbshim
