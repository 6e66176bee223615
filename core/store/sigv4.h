// AWS Signature Version 4 for S3, as a function of the request and a time that is passed in. No
// clock, no network, no state but a cached key.
//
// One rule keeps it right: what is signed is what is sent. Path and query are encoded once, here,
// and the same text goes on the wire and into the signature; the header values are brought into
// their canonical form before they are sent. The path is never normalised (S3 is the exception to
// SigV4's general rules): "a//b", "a/./b" and "../a" are keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wbshim::sigv4 {

using Pair = std::pair<std::string, std::string>;

struct Keys {
  std::string id;
  std::string secret;
  std::string token;  // of a session; empty: none
};

struct Request {
  std::string method;
  std::string path;           // as on the wire: encode_path()ed, begins with '/'
  std::vector<Pair> query;    // names and values not encoded, any order
  std::vector<Pair> headers;  // host among them; names in any case
  std::string payload_hash;   // sha256 in hex, or one of S3's constants
};

// %XX, upper case, for every byte but A-Z a-z 0-9 - . _ ~ (and '/' in a path).
std::string encode_path(std::string_view bytes);
std::string encode_component(std::string_view bytes);

// Sorted and encoded: both the canonical form and the one to send. "" for none, "uploads=" for a
// sub-resource.
std::string canonical_query(const std::vector<Pair>& query);

// Blanks trimmed at the ends and collapsed inside.
std::string trim_header(std::string_view value);

// Headers that proxies add or change, which therefore are never signed. name: lower case.
bool never_signed(std::string_view name);

std::string amz_date(uint64_t time_ms);  // 20130524T000000Z

struct Canonical {
  std::string text;
  std::string signed_headers;  // "host;x-amz-date"
};
Canonical canonical_request(const Request& request);

// "20130524/us-east-1/s3/aws4_request"
std::string scope(std::string_view date, std::string_view region, std::string_view service = "s3");
std::string string_to_sign(std::string_view date, std::string_view region,
                           std::string_view canonical_text, std::string_view service = "s3");
// 32 raw bytes; good for one secret, day, region and service. day: 20130524.
std::string signing_key(std::string_view secret, std::string_view day, std::string_view region,
                        std::string_view service = "s3");

class Signer {
 public:
  Signer(Keys keys, std::string region, std::string service = "s3")
      : keys_(std::move(keys)), region_(std::move(region)), service_(std::move(service)) {}

  // Brings the headers into canonical form and adds x-amz-date, x-amz-content-sha256,
  // x-amz-security-token and authorization; the request must have none of these yet. Keys without
  // an id: nothing is added, the request goes out unsigned.
  void sign(Request& request, uint64_t time_ms);

  const std::string& region() const { return region_; }
  const Keys& keys() const { return keys_; }

 private:
  Keys keys_;
  std::string region_;
  std::string service_;
  std::string cached_day_;
  std::string cached_key_;
};

}  // namespace wbshim::sigv4
