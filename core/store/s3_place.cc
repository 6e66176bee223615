#include "core/store/s3_place.h"

#include <algorithm>

#include "core/store/endpoint.h"
#include "core/store/key_escape.h"
#include "core/store/sigv4.h"
#include "core/util/ascii.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

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

Endpoint aws_endpoint(const std::string& region, const AwsEndpoint& variant) {
  const bool china = region.rfind("cn-", 0) == 0;
  const std::string service = variant.fips ? "s3-fips." : "s3.";
  return {"https",
          service + (variant.dual_stack ? "dualstack." : "") + region +
              (china ? ".amazonaws.com.cn" : ".amazonaws.com"),
          "", ""};
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
    if (!parsed) {
      return Error{"the S3 endpoint '" + printable(hide_secrets(endpoint)) + "' " +
                   parsed.message() +
                   "; set AWS_ENDPOINT_URL_S3 to something like https://s3.example.com"};
    }
    at = std::move(parsed.value());
  }
  out.path_style = addressing == "path" ||
                   (addressing == "auto" && (!endpoint.empty() || !host_label(out.bucket)));
  if (variant.fips && !endpoint.empty() && !is_aws(at.host)) {
    return Error{"AWS_USE_FIPS_ENDPOINT is set, and the S3 endpoint '" + printable(endpoint) +
                 "' is not AWS's; unset one of them"};
  }
  out.endpoint = at.scheme + "://" + at.authority() + at.path;
  out.host = (out.path_style ? "" : lower_case(out.bucket) + ".") + at.authority();
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
