// The documents of S3's uploads in parts: what their answers say, and what completes one. Pure;
// survives hostile text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/parts_store.h"

namespace wbshim {

// Of an InitiateMultipartUploadResult; empty when the text is none.
std::string parse_upload_id(std::string_view body);

// The ETag of a CompleteMultipartUploadResult or a CopyObjectResult; empty when the text is none.
std::string parse_result_etag(std::string_view body);

// One page of ListParts, or of ListMultipartUploads. Nothing when the text is no whole answer.
struct S3PartsPage {
  std::vector<StoredPart> parts;
  std::string next_part;  // of the next page; empty: this was the last
};
std::optional<S3PartsPage> parse_parts_page(std::string_view body);

struct S3UploadsPage {
  std::vector<OpenUpload> uploads;  // keys in the bucket, as they are there
  std::string next_key, next_id;    // of the next page; empty: this was the last
};
std::optional<S3UploadsPage> parse_uploads_page(std::string_view body);

std::string complete_document(const std::vector<std::string>& etags);

// Seconds since 1970 of "2026-11-30T23:08:23.000Z"; 0 when it is none.
int64_t parse_iso_time(std::string_view text);

}  // namespace wbshim
