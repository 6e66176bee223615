#include "core/store/s3_parts.h"

#include "core/store/key_escape.h"
#include "core/store/object_headers.h"
#include "core/store/s3_parts_xml.h"
#include "core/store/sigv4.h"

namespace wbshim {
namespace {

constexpr size_t kMostUploads = 10000;  // seen at a time; the others with the next look

// A 2xx whose body is not what it should be: a proxy, or no S3.
void not_understood(StoreResult& result, bool may_have_landed) {
  result.outcome = may_have_landed ? StoreOutcome::Unknown : StoreOutcome::TryLater;
  result.error_class = "NoS3";
  result.message = "the answer is none of S3's; is the endpoint right, and no proxy between?";
}

// For answers whose document holds the ETag.
Store::Done with_etag(Store::Done done) {
  return [done = std::move(done)](StoreResult result) {
    if (result.outcome == StoreOutcome::Stored) {
      result.etag = parse_result_etag(result.body);
      if (result.etag.empty()) not_understood(result, true);
    }
    result.body.clear();
    done(std::move(result));
  };
}

}  // namespace

const S3Traits& traits_of(S3Verb verb) {
  static constexpr S3Traits kTraits[] = {
      // method, dated by the caller, may land, whole body, of an upload
      {"PUT", true, true, false, false},      // Put
      {"DELETE", true, true, false, false},   // Delete
      {"HEAD", false, false, false, false},   // Head
      {"GET", false, false, false, false},    // Get
      {"GET", false, false, false, false},    // List
      {"POST", false, false, true, false},    // Begin
      {"PUT", false, false, false, true},     // Part
      {"POST", true, true, true, true},       // Complete
      {"DELETE", false, false, false, true},  // Abort
      {"GET", false, false, true, true},      // ListParts
      {"GET", false, false, true, false},     // ListUploads
      {"PUT", true, true, true, false},       // Copy
  };
  return kTraits[static_cast<size_t>(verb)];
}

void S3Parts::begin(const std::string& key, const ObjectMeta& meta, Done done) {
  send_({.verb = S3Verb::Begin,
         .key = key,
         .query = {{"uploads", ""}},
         .headers = object_headers(meta, key, objects_)},
        [done = std::move(done)](StoreResult result) {
          if (result.outcome == StoreOutcome::Stored) {
            result.body = parse_upload_id(result.body);
            if (result.body.empty()) not_understood(result, false);
          }
          done(std::move(result));
        });
}

void S3Parts::put(const PartsUpload& upload, unsigned number, std::shared_ptr<const Body> body,
                  Done done) {
  send_({.verb = S3Verb::Part,
         .key = upload.key,
         .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}},
         .headers = {{"content-type", "application/octet-stream"}},
         .body = std::move(body)},
        std::move(done));
}

void S3Parts::complete(const PartsUpload& upload, const std::vector<std::string>& etags,
                       uint64_t dated_ms, Done done) {
  auto body = std::make_shared<Body>();
  body->bytes = complete_document(etags);
  send_({.verb = S3Verb::Complete,
         .key = upload.key,
         .query = {{"uploadId", upload.id}},
         .headers = {{"content-type", "application/xml"}},
         .body = std::move(body),
         .dated_ms = dated_ms},
        with_etag(std::move(done)));
}

void S3Parts::abort(const PartsUpload& upload, Done done) {
  send_({.verb = S3Verb::Abort, .key = upload.key, .query = {{"uploadId", upload.id}}},
        std::move(done));
}

void S3Parts::copy_onto_itself(const std::string& key, const ObjectMeta& meta, uint64_t dated_ms,
                               Done done) {
  auto headers = object_headers(meta, key, objects_);
  headers.emplace_back("x-amz-copy-source",
                       "/" + sigv4::encode_path(place_.bucket + "/" + place_.object_key(key)));
  headers.emplace_back("x-amz-metadata-directive", "REPLACE");
  if (!objects_.tags.empty()) headers.emplace_back("x-amz-tagging-directive", "REPLACE");
  send_({.verb = S3Verb::Copy, .key = key, .headers = std::move(headers), .dated_ms = dated_ms},
        with_etag(std::move(done)));
}

void S3Parts::list_parts(const PartsUpload& upload, std::function<void(StoredParts)> done) {
  more_parts(upload, "", std::make_shared<StoredParts>(), std::move(done));
}

void S3Parts::more_parts(const PartsUpload& upload, const std::string& after,
                         const std::shared_ptr<StoredParts>& found,
                         std::function<void(StoredParts)> done) {
  S3Call call{.verb = S3Verb::ListParts, .key = upload.key, .query = {{"uploadId", upload.id}}};
  if (!after.empty()) call.query.emplace_back("part-number-marker", after);
  send_(std::move(call), [this, upload, found, done = std::move(done)](const StoreResult& result) {
    auto page = result.outcome == StoreOutcome::Stored ? parse_parts_page(result.body)
                                                       : std::optional<S3PartsPage>();
    found->outcome =
        page || result.outcome != StoreOutcome::Stored ? result.outcome : StoreOutcome::TryLater;
    if (page) {
      for (StoredPart& part : page->parts) found->parts.push_back(std::move(part));
      const bool more = !page->next_part.empty() && !page->parts.empty();
      if (more && found->parts.size() < kMostParts)
        return more_parts(upload, page->next_part, found, done);
    }
    done(std::move(*found));
  });
}

void S3Parts::list_uploads(std::function<void(OpenUploads)> done) {
  more_uploads("", "", std::make_shared<OpenUploads>(), std::move(done));
}

void S3Parts::more_uploads(const std::string& after_key, const std::string& after_id,
                           const std::shared_ptr<OpenUploads>& found,
                           std::function<void(OpenUploads)> done) {
  S3Call call{
      .verb = S3Verb::ListUploads,
      .query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", place_.directory_key()}}};
  if (!after_key.empty()) call.query.emplace_back("key-marker", after_key);
  if (!after_id.empty()) call.query.emplace_back("upload-id-marker", after_id);
  send_(std::move(call), [this, found, done = std::move(done)](const StoreResult& result) {
    auto page = result.outcome == StoreOutcome::Stored ? parse_uploads_page(result.body)
                                                       : std::optional<S3UploadsPage>();
    found->outcome =
        page || result.outcome != StoreOutcome::Stored ? result.outcome : StoreOutcome::TryLater;
    found->message = result.message;
    if (page) {
      const std::string own = place_.directory_key();
      for (OpenUpload& open : page->uploads) {
        std::string& key = open.upload.key;
        if (key.size() <= own.size() || key.compare(0, own.size(), own) != 0) continue;
        key = unescape_key(key.substr(own.size()));
        found->uploads.push_back(std::move(open));
      }
      const bool more = !page->next_key.empty() && !page->uploads.empty();
      if (more && found->uploads.size() < kMostUploads)
        return more_uploads(page->next_key, page->next_id, found, done);
    }
    done(std::move(*found));
  });
}

}  // namespace wbshim
