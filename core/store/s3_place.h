// Where the objects are: bucket, prefix and endpoint, and the URL of each key.
#pragma once

#include <string>
#include <string_view>

#include "core/util/result.h"

namespace wbshim {

struct S3Place {
  // The key in the bucket: prefix and the escaped key.
  std::string object_key(std::string_view key) const;
  // What all of them begin with: empty, or the prefix and a '/'.
  std::string directory_key() const { return prefix.empty() ? prefix : prefix + "/"; }
  // Encoded, from the first '/' on: what is signed and sent.
  std::string path_of(std::string_view object_key) const;
  std::string url_of(std::string_view encoded_path) const {
    return origin + std::string(encoded_path);
  }
  // "s3://bucket/prefix at http://127.0.0.1:9000", for messages.
  std::string name() const;

  std::string bucket;
  std::string prefix;    // without slashes at its end; may be empty
  std::string endpoint;  // as configured or derived: scheme://host[:port][/path]
  std::string origin;    // scheme://host[:port] of the requests; the bucket is in it if !path_style
  std::string host;      // Host header: lower case, the port only if it is not the scheme's own
  std::string base_path;  // "" or "/path" of the endpoint
  bool path_style = true;
  bool loopback = false;  // the endpoint is this machine
  bool aws = false;       // the endpoint is Amazon's
};

// Which of AWS's own endpoints.
struct AwsEndpoint {
  bool dual_stack = false;  // IPv6, too
  bool fips = false;
};

// url: s3://bucket[/prefix]. endpoint: empty for AWS in that region. addressing: auto, path or
// virtual; auto is virtual for AWS (unless the bucket's name cannot be a host's) and path for
// others.
Result<S3Place> make_s3_place(const std::string& url, const std::string& endpoint,
                              const std::string& region, const std::string& addressing,
                              const AwsEndpoint& variant = {});

// The bucket turned out to be in region `to`: AWS has another host for it. Others stay where they are.
void move_to_region(S3Place& place, const std::string& from, const std::string& to);

// Lower-case letters, digits and '-': what may be a part of AWS's host names.
bool is_region_name(std::string_view name);

}  // namespace wbshim
