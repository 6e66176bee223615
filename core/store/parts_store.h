// Uploads in parts (S3: multipart), for what is too large for one request. Nothing of it shows under
// its key before complete(), and then all of it at once. Parts may be sent in any order, again, and
// many at once; of two bodies of one part the one that arrives last counts, so the caller waits for
// the answer of the first before it sends another. What is neither completed nor aborted stays in
// the store, unseen and paid for.
//
// Threads and completions: as of Store, whose other half this is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/store/store.h"

namespace wbshim {

// S3's own bounds: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
inline constexpr uint64_t kLeastPart = uint64_t{5} << 20;  // but the last one
inline constexpr uint64_t kMostPart = uint64_t{5} << 30;
inline constexpr uint64_t kMostParts = 10000;
inline constexpr uint64_t kMostObject = uint64_t{5} << 40;

struct PartsUpload {
  std::string key;
  std::string id;  // the store's
};

struct StoredPart {
  unsigned number = 0;  // from 1
  uint64_t size = 0;
  std::string etag;
};

struct StoredParts {
  StoreOutcome outcome =
      StoreOutcome::TryLater;  // Stored: they are all here. Absent: no such upload
  std::vector<StoredPart> parts;
};

// One that was begun and neither completed nor aborted.
struct OpenUpload {
  PartsUpload upload;
  int64_t begun_s = 0;  // the store's clock, seconds since 1970; 0: not known
};
struct OpenUploads {
  StoreOutcome outcome = StoreOutcome::TryLater;
  std::string message;
  std::vector<OpenUpload> uploads;
};

// Outcomes are those of Store, but for Absent: the store knows no such upload (any more), or cannot
// make an object of its parts; begin anew. Only complete() and copy_onto_itself() may be Unknown.
class PartsStore {
 public:
  using Done = Store::Done;
  virtual ~PartsStore() = default;

  // result.body is the upload's id.
  virtual void begin(const std::string& key, const ObjectMeta& meta, Done done) = 0;
  // number: 1 to kMostParts. result.etag is what complete() wants.
  virtual void put(const PartsUpload& upload, unsigned number, std::shared_ptr<const Body> body,
                   Done done) = 0;
  // etags: of all parts, in order. dated_ms: as of Store::put.
  virtual void complete(const PartsUpload& upload, const std::vector<std::string>& etags,
                        uint64_t dated_ms, Done done) = 0;
  // Stored: it is gone. A part that is still on its way may bring it back: abort again.
  virtual void abort(const PartsUpload& upload, Done done) = 0;
  // The attributes of an object that is there, put right: they are fixed at begin(), when a file
  // that is still being written has not its last ones. Up to kMostPart bytes.
  virtual void copy_onto_itself(const std::string& key, const ObjectMeta& meta, uint64_t dated_ms,
                                Done done) = 0;
  virtual void list_parts(const PartsUpload& upload, std::function<void(StoredParts)> done) = 0;
  // All below the store's prefix, whoever began them.
  virtual void list_uploads(std::function<void(OpenUploads)> done) = 0;
};

}  // namespace wbshim
