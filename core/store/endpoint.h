// The URL of a service, taken apart.
#pragma once

#include <string>

#include "core/util/result.h"

namespace wbshim {

struct Endpoint {
  // Host and port, as a Host header has them.
  std::string authority() const { return port.empty() ? host : host + ":" + port; }

  std::string scheme;
  std::string host;  // lower case; an IPv6 address in brackets
  std::string port;  // empty: the scheme's own
  std::string path;  // "" or "/x"
};

// The error says what is wrong, as in "is neither http nor https".
Result<Endpoint> parse_endpoint(const std::string& url);

// host: as in an Endpoint.
bool is_loopback(const std::string& host);

}  // namespace wbshim
