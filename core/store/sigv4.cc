#include "core/store/sigv4.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "core/store/crypto.h"
#include "core/util/ascii.h"

namespace wbshim::sigv4 {
namespace {

constexpr size_t kDay = 8;  // characters of a date that name its day

bool unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string encode(std::string_view bytes, bool keep_slash) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2);
  for (const char c : bytes) {
    if (unreserved(c) || (keep_slash && c == '/')) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

}  // namespace

std::string encode_path(std::string_view bytes) {
  return encode(bytes, true);
}
std::string encode_component(std::string_view bytes) {
  return encode(bytes, false);
}

std::string canonical_query(const std::vector<Pair>& query) {
  std::vector<Pair> encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query) {
    encoded.emplace_back(encode_component(name), encode_component(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string trim_header(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  bool gap = false;
  for (const char c : value) {
    if (blank(c)) {
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

bool never_signed(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "authorization", "connection", "expect",         "transfer-encoding", "te",
      "upgrade",       "user-agent", "x-amzn-trace-id"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::string amz_date(uint64_t time_ms) {
  const auto seconds = static_cast<time_t>(time_ms / 1000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> out{};
  return {out.data(), strftime(out.data(), out.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

Canonical canonical_request(const Request& request) {
  std::vector<Pair> headers;
  headers.reserve(request.headers.size());
  for (const auto& [name, value] : request.headers) {
    std::string low = lower_case(name);
    if (!never_signed(low)) headers.emplace_back(std::move(low), trim_header(value));
  }
  // By name only: sorting whole lines would put "a-b:" before "a:". Stable, since repeated headers
  // are joined in the order in which they are sent.
  std::stable_sort(headers.begin(), headers.end(),
                   [](const Pair& a, const Pair& b) { return a.first < b.first; });
  Canonical out;
  std::string lines;
  for (size_t i = 0; i < headers.size(); i++) {
    const bool repeated = i > 0 && headers[i].first == headers[i - 1].first;
    if (repeated) {
      lines.back() = ',';  // was the line's end
    } else {
      if (i > 0) out.signed_headers += ';';
      out.signed_headers += headers[i].first;
      lines += headers[i].first + ":";
    }
    lines += headers[i].second + "\n";
  }
  out.text = request.method + "\n" + request.path + "\n" + canonical_query(request.query) + "\n" +
             lines + "\n" + out.signed_headers + "\n" + request.payload_hash;
  return out;
}

std::string scope(std::string_view date, std::string_view region, std::string_view service) {
  std::string out(date.substr(0, kDay));
  return out.append("/").append(region).append("/").append(service).append("/aws4_request");
}

std::string string_to_sign(std::string_view date, std::string_view region,
                           std::string_view canonical_text, std::string_view service) {
  return "AWS4-HMAC-SHA256\n" + std::string(date) + "\n" + scope(date, region, service) + "\n" +
         sha256_hex(canonical_text);
}

std::string signing_key(std::string_view secret, std::string_view day, std::string_view region,
                        std::string_view service) {
  std::string key = hmac_sha256("AWS4" + std::string(secret), day);
  key = hmac_sha256(key, region);
  key = hmac_sha256(key, service);
  return hmac_sha256(key, "aws4_request");
}

void Signer::sign(Request& request, uint64_t time_ms) {
  for (auto& [name, value] : request.headers) value = trim_header(value);
  if (keys_.id.empty()) return;
  const std::string date = amz_date(time_ms);
  const std::string day = date.substr(0, kDay);
  if (day != cached_day_) {
    cached_key_ = signing_key(keys_.secret, day, region_, service_);
    cached_day_ = day;
  }
  request.headers.emplace_back("x-amz-date", date);
  request.headers.emplace_back("x-amz-content-sha256", request.payload_hash);
  if (!keys_.token.empty()) request.headers.emplace_back("x-amz-security-token", keys_.token);
  const Canonical canonical = canonical_request(request);
  const std::string signature =
      to_hex(hmac_sha256(cached_key_, string_to_sign(date, region_, canonical.text, service_)));
  request.headers.emplace_back("authorization", "AWS4-HMAC-SHA256 Credential=" + keys_.id + "/" +
                                                    scope(date, region_, service_) +
                                                    ", SignedHeaders=" + canonical.signed_headers +
                                                    ", Signature=" + signature);
}

}  // namespace wbshim::sigv4
