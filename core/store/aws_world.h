// What the search for keys touches outside of itself, as values, so that a test can give its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/store/aws_files.h"
#include "core/store/credential_process.h"
#include "core/store/http_once.h"

namespace wbshim {

struct AwsWorld {
  Environment environment;
  std::function<uint64_t()> now_ms;  // since 1970
  std::function<HttpAnswer(HttpRequest, const CallLimits&)> ask;
  std::function<ProcessEnd(const std::vector<std::string>&)> run;
};

// That of this process. stopped: true ends whatever is being waited for; may be empty.
AwsWorld aws_world_of_process(const std::function<bool()>& stopped = {});

}  // namespace wbshim
