#include "core/store/s3_parts_xml.h"

#include <time.h>

#include <charconv>
#include <utility>

#include "core/store/xml_reader.h"

namespace wbshim {
namespace {

template <typename Number>
Number number_in(const std::string& text) {
  Number out = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// The text of one element directly below the root.
std::string child_of(std::string_view body, std::string_view root, std::string_view child) {
  std::string found;
  XmlReader reader(body);
  while (reader.next()) {
    if (reader.root() != root) return {};
    if (reader.depth() == 1 && reader.name() == child) found = reader.text();
    if (reader.depth() == 0) return found;
  }
  return {};
}

}  // namespace

std::string parse_upload_id(std::string_view body) {
  return child_of(body, "InitiateMultipartUploadResult", "UploadId");
}

std::string parse_result_etag(std::string_view body) {
  for (const char* root : {"CompleteMultipartUploadResult", "CopyObjectResult"}) {
    const std::string etag = child_of(body, root, "ETag");
    if (!etag.empty()) return unquoted(etag);
  }
  return {};
}

std::optional<S3PartsPage> parse_parts_page(std::string_view body) {
  S3PartsPage page;
  StoredPart part;
  bool whole = false, truncated = false;
  XmlReader reader(body);
  while (!whole && reader.next()) {
    if (reader.root() != "ListPartsResult") return std::nullopt;
    whole = reader.depth() == 0;
    const std::string_view name = reader.name();
    if (reader.parent() == "Part" && reader.depth() == 2) {
      if (name == "PartNumber") part.number = number_in<unsigned>(reader.text());
      if (name == "Size") part.size = number_in<uint64_t>(reader.text());
      if (name == "ETag") part.etag = unquoted(reader.text());
    } else if (reader.depth() == 1) {
      if (name == "Part") page.parts.push_back(std::exchange(part, {}));
      if (name == "IsTruncated") truncated = reader.text() == "true";
      if (name == "NextPartNumberMarker") page.next_part = reader.text();
    }
  }
  if (!whole) return std::nullopt;
  if (!truncated) page.next_part.clear();
  return page;
}

std::optional<S3UploadsPage> parse_uploads_page(std::string_view body) {
  S3UploadsPage page;
  OpenUpload open;
  bool whole = false, truncated = false, encoded = false;
  XmlReader reader(body);
  while (!whole && reader.next()) {
    if (reader.root() != "ListMultipartUploadsResult") return std::nullopt;
    whole = reader.depth() == 0;
    const std::string_view name = reader.name();
    if (reader.parent() == "Upload" && reader.depth() == 2) {
      if (name == "Key") open.upload.key = reader.text();
      if (name == "UploadId") open.upload.id = reader.text();
      if (name == "Initiated") open.begun_s = parse_iso_time(reader.text());
    } else if (reader.depth() == 1) {
      if (name == "Upload") page.uploads.push_back(std::exchange(open, {}));
      if (name == "IsTruncated") truncated = reader.text() == "true";
      if (name == "NextKeyMarker") page.next_key = reader.text();
      if (name == "NextUploadIdMarker") page.next_id = reader.text();
      if (name == "EncodingType") encoded = reader.text() == "url";
    }
  }
  if (!whole) return std::nullopt;
  if (encoded) {
    for (OpenUpload& each : page.uploads) each.upload.key = url_decoded(each.upload.key);
    page.next_key = url_decoded(page.next_key);
  }
  if (!truncated) page.next_key.clear(), page.next_id.clear();
  return page;
}

std::string complete_document(const std::vector<std::string>& etags) {
  std::string out = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < etags.size(); i++) {
    out += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>\"" +
           xml_escaped(etags[i]) + "\"</ETag></Part>";
  }
  return out + "</CompleteMultipartUpload>";
}

int64_t parse_iso_time(std::string_view text) {
  const std::string copy(text.substr(0, 64));
  struct tm parts = {};
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  return rest == nullptr ? 0 : static_cast<int64_t>(timegm(&parts));
}

}  // namespace wbshim
