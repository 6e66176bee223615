#include "core/store/aws_world.h"

#include <cstdlib>
#include <utility>

#include "core/util/clock.h"

namespace wbshim {

AwsWorld aws_world_of_process(const std::function<bool()>& stopped) {
  AwsWorld out;
  out.environment = [](const char* name) -> const char* { return getenv(name); };
  out.now_ms = [] { return SystemClock().wall_ms(); };
  out.ask = [stopped](HttpRequest request, const CallLimits& limits) {
    return http_once(std::move(request), limits, stopped);
  };
  out.run = [stopped](const std::vector<std::string>& words) {
    return run_program(words, kProcessLimit_ms, stopped);
  };
  return out;
}

}  // namespace wbshim
