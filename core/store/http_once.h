// One HTTP request, waited for: for the threads that may wait (credential_keeper.h), and at a start.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/store/http.h"

namespace wbshim {

struct CallLimits {
  uint64_t limit_ms = 1000;  // from the first look-up to the answer's last byte
  bool ignore_proxy = false;
  std::string ca_file;  // empty: the system's
};

// stopped: asked several times a second, may be empty; true ends the wait.
HttpAnswer http_once(HttpRequest request, const CallLimits& limits,
                     const std::function<bool()>& stopped);

}  // namespace wbshim
