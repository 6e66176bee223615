#include "core/store/s3_place.h"

#include <algorithm>

#include "core/store/key_escape.h"
#include "core/store/sigv4.h"
#include "core/util/ascii.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

struct Endpoint {
  std::string scheme;
  std::string host;  // lower case; an IPv6 address in brackets
  std::string port;  // empty: the scheme's own
  std::string path;  // "" or "/x"
};

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && letter_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return letter_or_digit(c) || c == '.' || c == '-' || c == '_'; });
}

// One label of a host name, so that "*.s3.amazonaws.com" certificates cover it.
bool host_label(std::string_view name) {
  return name.size() <= 63 && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

Result<Endpoint> parse_endpoint(const std::string& url) {
  const auto wrong = [&](const std::string& why) {
    return Error{"the S3 endpoint '" + printable(hide_secrets(url)) + "' " + why +
                 "; set AWS_ENDPOINT_URL_S3 to something like https://s3.example.com"};
  };
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

Endpoint aws_endpoint(const std::string& region, const AwsEndpoint& variant) {
  const bool china = region.rfind("cn-", 0) == 0;
  const std::string service = variant.fips ? "s3-fips." : "s3.";
  return {"https",
          service + (variant.dual_stack ? "dualstack." : "") + region +
              (china ? ".amazonaws.com.cn" : ".amazonaws.com"),
          "", ""};
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0 ||
         (host.size() > 10 && host.compare(host.size() - 10, 10, ".localhost") == 0);
}

bool is_aws(const std::string& host) {
  for (const std::string_view domain : {".amazonaws.com", ".amazonaws.com.cn"}) {
    if (host.size() > domain.size() &&
        host.compare(host.size() - domain.size(), domain.size(), domain) == 0)
      return true;
  }
  return false;
}

}  // namespace

std::string S3Place::object_key(std::string_view key) const {
  return prefix.empty() ? escape_key(key) : prefix + "/" + escape_key(key);
}

std::string S3Place::path_of(std::string_view object_key) const {
  return base_path + (path_style ? "/" + bucket : "") + "/" + sigv4::encode_path(object_key);
}

std::string S3Place::name() const {
  return printable("s3://" + bucket + (prefix.empty() ? "" : "/" + prefix) + " at " + endpoint);
}

Result<S3Place> make_s3_place(const std::string& url, const std::string& endpoint,
                              const std::string& region, const std::string& addressing,
                              const AwsEndpoint& variant) {
  constexpr std::string_view kScheme = "s3://";
  const std::string shown = printable(hide_secrets(url));
  if (url.substr(0, kScheme.size()) != kScheme) {
    return Error{"WBSHIM_STORE_URL '" + shown + "' does not begin with s3://"};
  }
  S3Place out;
  const size_t slash = std::min(url.find('/', kScheme.size()), url.size());
  out.bucket = url.substr(kScheme.size(), slash - kScheme.size());
  if (!bucket_name(out.bucket)) {
    return Error{"WBSHIM_STORE_URL '" + shown +
                 "' names no valid bucket; write it as s3://bucket/prefix"};
  }
  out.prefix = slash < url.size() ? url.substr(slash + 1) : "";
  while (!out.prefix.empty() && out.prefix.back() == '/') out.prefix.pop_back();
  if (!is_utf8(out.prefix))
    return Error{"the prefix in WBSHIM_STORE_URL '" + shown + "' is not UTF-8"};
  if (addressing != "auto" && addressing != "path" && addressing != "virtual") {
    return Error{"WBSHIM_S3_ADDRESSING is '" + printable(addressing) +
                 "'; use auto, path or virtual"};
  }
  Endpoint at;
  if (endpoint.empty()) {
    at = aws_endpoint(region, variant);
  } else {
    auto parsed = parse_endpoint(endpoint);
    if (!parsed) return parsed.error();
    at = std::move(parsed.value());
  }
  out.path_style = addressing == "path" ||
                   (addressing == "auto" && (!endpoint.empty() || !host_label(out.bucket)));
  if (variant.fips && !endpoint.empty() && !is_aws(at.host)) {
    return Error{"AWS_USE_FIPS_ENDPOINT is set, and the S3 endpoint '" + printable(endpoint) +
                 "' is not AWS's; unset one of them"};
  }
  const std::string port = at.port.empty() ? "" : ":" + at.port;
  out.endpoint = at.scheme + "://" + at.host + port + at.path;
  out.host = (out.path_style ? "" : lower_case(out.bucket) + ".") + at.host + port;
  out.origin = at.scheme + "://" + out.host;
  out.base_path = at.path;
  out.loopback = is_loopback(at.host);
  out.aws = is_aws(at.host);
  return out;
}

bool is_region_name(std::string_view name) {
  return !name.empty() && host_label(name) && name.front() != '-';
}

void move_to_region(S3Place& place, const std::string& from, const std::string& to) {
  if (!place.aws) return;
  const std::string regional = "." + from + ".amazonaws.com", old = "s3.amazonaws.com";
  for (std::string* text : {&place.endpoint, &place.origin, &place.host}) {
    const size_t at = text->find(regional);
    const size_t without = text->find(old);  // the name from before there were regions
    if (at != std::string::npos) {
      text->replace(at + 1, from.size(), to);
    } else if (without != std::string::npos) {
      text->insert(without + 3, to + ".");
    }
  }
}

}  // namespace wbshim
