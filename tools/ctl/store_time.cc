#include "tools/ctl/store_time.h"

#include <stdlib.h>
#include <time.h>

#include "core/store/credentials.h"
#include "core/store/http.h"
#include "core/store/s3_place.h"
#include "core/util/clock.h"

namespace wbshim::ctl {
namespace {

constexpr uint64_t kBoundMs = 10000;

// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT"; -1: it is something else.
int64_t parse_date(std::string_view text) {
  struct tm at {};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &at);
  return end != nullptr && *end == '\0' ? timegm(&at) : -1;
}

}  // namespace

int64_t store_time(const std::string& url, const std::string& addressing) {
  const auto aws = load_aws_places([](const char* name) -> const char* { return getenv(name); });
  if (!aws) return -1;
  const auto place = make_s3_place(url, aws.value().endpoint, aws.value().region, addressing,
                                   {aws.value().dual_stack, aws.value().fips});
  if (!place) return -1;
  HttpOptions options;
  options.max_connections = 1;
  options.ca_file = aws.value().ca_file;
  options.ignore_proxy = place.value().loopback;
  const auto http = make_http(options);
  if (!http) return -1;
  bool answered = false;
  int64_t date = -1;
  http.value()->start({"HEAD", place.value().url_of("/"), {{"Host", place.value().host}}, nullptr},
                      [&](const HttpAnswer& answer) {
                        answered = true;
                        date = parse_date(answer.header("date"));
                      });
  const SystemClock clock;
  const uint64_t end = clock.now_ms() + kBoundMs;
  std::vector<Store::Extra> extras;
  while (!answered && clock.now_ms() < end) http.value()->poll(extras, 200);
  return date;
}

}  // namespace wbshim::ctl
