// Object keys: the escape of names is reversible and makes UTF-8; a key cannot leave the directory of
// a file store, nor the bucket and prefix of S3.
#include "core/store/file_tree.h"
#include "core/store/key_escape.h"
#include "core/store/s3_place.h"
#include "core/store/sigv4.h"
#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

namespace {

void check_escape(const std::string& key) {
  const std::string escaped = escape_key(key);
  demand(is_utf8(escaped), "an escaped key is UTF-8");
  demand(unescape_key(escaped) == key, "the key comes back");
  demand(std::count(escaped.begin(), escaped.end(), '/') == std::count(key.begin(), key.end(), '/'),
         "the slashes are the key's own");
}

void check_file_key(const std::string& key) {
  const auto parsed = FileKey::parse(key);
  if (!parsed) return;
  std::string joined;
  for (const std::string& segment : parsed.value().segments) {
    demand(!segment.empty() && segment != "." && segment != "..", "no segment leads upwards");
    demand(segment.find('/') == std::string::npos && segment.find('\0') == std::string::npos,
           "a segment is one name");
    joined += (joined.empty() ? "" : "/") + segment;
  }
  demand(joined + (parsed.value().directory ? "/" : "") == key, "the segments are the key");
  demand(parsed.value().segments.front() != kDotDir, "the store's own directory is not a key");
}

void check_s3_key(const S3Place& place, const std::string& key) {
  const std::string path = place.path_of(place.object_key(key));
  demand(path.compare(0, 12, "/bkt/pre/fix") == 0, "bucket and prefix stand first");
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%";
  demand(path.find_first_not_of(kPlain) == std::string::npos, "a path is plain text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const S3Place place =
      make_s3_place("s3://bkt/pre/fix", "http://127.0.0.1:9", "us-east-1", "auto").value();
  const std::string key = fuzz::Input(data, size).rest();
  check_escape(key);
  // Names that look like escapes are the hard ones.
  check_escape(sigv4::encode_path(key));
  check_file_key(key);
  check_s3_key(place, key);
  return 0;
}
