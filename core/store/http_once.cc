#include "core/store/http_once.h"

#include <algorithm>
#include <memory>

#include "core/util/clock.h"

namespace wbshim {
namespace {

constexpr uint64_t kLook_ms = 100;
constexpr size_t kMaxAnswer = size_t{1024} * 1024;

}  // namespace

HttpAnswer http_once(HttpRequest request, const CallLimits& limits,
                     const std::function<bool()>& stopped) {
  HttpAnswer answer;
  HttpOptions options;
  options.max_connections = 1;
  options.connect_timeout_ms = static_cast<long>(limits.limit_ms);
  options.ca_file = limits.ca_file;
  options.ignore_proxy = limits.ignore_proxy;
  auto http = make_http(options);
  if (!http) {
    answer.failure_class = "memory";
    answer.failure = http.message();
    return answer;
  }
  const SystemClock clock;
  const uint64_t end = clock.now_ms() + limits.limit_ms;
  bool answered = false;
  request.max_content = kMaxAnswer;
  http.value()->start(std::move(request), [&](HttpAnswer given) {
    answered = true;
    answer = std::move(given);
  });
  std::vector<Store::Extra> none;
  for (uint64_t now = clock.now_ms(); !answered && now < end; now = clock.now_ms()) {
    if (stopped && stopped()) break;
    http.value()->poll(none, static_cast<int>(std::min(kLook_ms, end - now)));
  }
  if (!answered) {
    answer.failure_class = "timeout";
    answer.failure = "no answer within " + std::to_string(limits.limit_ms) + " ms";
  }
  return answer;
}

}  // namespace wbshim
