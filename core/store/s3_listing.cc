#include "core/store/s3_listing.h"

#include <charconv>
#include <utility>

#include "core/store/xml_reader.h"

namespace wbshim {

std::optional<S3Listing> parse_s3_listing(std::string_view body) {
  S3Listing out;
  S3Listing::Object object;
  bool encoded = false, whole = false;
  XmlReader reader(body);
  while (!whole && reader.next()) {
    if (reader.root() != "ListBucketResult") return std::nullopt;
    const std::string_view name = reader.name(), parent = reader.parent();
    whole = reader.depth() == 0;
    if (parent == "Contents") {
      if (name == "Key") object.key = reader.text();
      if (name == "ETag") object.etag = unquoted(reader.text());
      const std::string size = name == "Size" ? reader.text() : std::string();
      (void)std::from_chars(size.data(), size.data() + size.size(), object.size);
    } else if (parent == "CommonPrefixes" && name == "Prefix") {
      out.prefixes.push_back(reader.text());
    } else if (reader.depth() == 1) {
      if (name == "Contents") out.objects.push_back(std::exchange(object, {}));
      if (name == "IsTruncated") out.truncated = reader.text() == "true";
      if (name == "NextContinuationToken") out.token = reader.text();
      if (name == "EncodingType") encoded = reader.text() == "url";
    }
  }
  if (!whole) return std::nullopt;
  if (encoded) {
    for (S3Listing::Object& each : out.objects) each.key = url_decoded(each.key);
    for (std::string& each : out.prefixes) each = url_decoded(each);
  }
  return out;
}

}  // namespace wbshim
