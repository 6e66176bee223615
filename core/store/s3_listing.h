// The answer to ListObjectsV2, taken apart. Pure; survives hostile text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wbshim {

struct S3Listing {
  struct Object {
    std::string key;  // in the bucket: with the prefix, escaped (key_escape.h)
    std::string etag;
    uint64_t size = 0;
  };
  std::vector<Object> objects;
  std::vector<std::string> prefixes;  // what was rolled up at the delimiter
  bool truncated = false;
  std::string token;  // of the next page
};

// Nothing when the text is no whole ListBucketResult. Names are decoded when the server says that it
// has encoded them (EncodingType url): %XX, and '+' for a blank, as AWS writes it.
std::optional<S3Listing> parse_s3_listing(std::string_view body);

}  // namespace wbshim
