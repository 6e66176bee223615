#include "core/store/endpoint.h"

#include <algorithm>

#include "core/util/ascii.h"

namespace wbshim {
namespace {

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& url) {
  const auto wrong = [](const char* why) { return Error{why}; };
  Endpoint out;
  const size_t colon = url.find("://");
  if (colon == std::string::npos) return wrong("does not begin with http:// or https://");
  out.scheme = lower_case(url.substr(0, colon));
  if (out.scheme != "http" && out.scheme != "https") return wrong("is neither http nor https");
  const size_t start = colon + 3;
  const size_t slash = std::min(url.find_first_of("/?#", start), url.size());
  const std::string authority = lower_case(url.substr(start, slash - start));
  out.path = url.substr(slash);
  while (!out.path.empty() && out.path.back() == '/') out.path.pop_back();
  const bool plain = std::all_of(out.path.begin(), out.path.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '?' && c != '#' && c != '%';
  });
  if (!plain) return wrong("has more than a plain path");
  if (authority.find('@') != std::string::npos) return wrong("holds a user name");
  const size_t bracket = authority.rfind(']');
  const size_t port = authority.find(':', bracket == std::string::npos ? 0 : bracket);
  out.host = authority.substr(0, port);
  if (port != std::string::npos) out.port = authority.substr(port + 1);
  const bool name_ok =
      !out.host.empty() && std::all_of(out.host.begin(), out.host.end(), [](char c) {
        return letter_or_digit(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' ||
               c == ']';
      });
  if (!name_ok) return wrong("has no valid host name");
  const bool digits =
      std::all_of(out.port.begin(), out.port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || out.port.size() > 5) return wrong("has no valid port");
  if (out.port == (out.scheme == "http" ? "80" : "443")) out.port.clear();
  return out;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0 ||
         (host.size() > 10 && host.compare(host.size() - 10, 10, ".localhost") == 0);
}

}  // namespace wbshim
