// An object store: file:// and s3:// behind one interface. Asynchronous, single-threaded: calls
// return at once, completions run inside poll(), on the thread that called it. No locks; one thread
// owns a Store. A completion may start further requests; it must not call poll() or probe(), nor
// destroy the store. Destroying a store drops what is in flight, without completions.
//
// Keys are what core/base/keys.h calls object keys: relative, any byte but NUL, a directory's ends
// with '/'. The store puts its own prefix in front and escapes what its protocol cannot hold
// (reversibly: key_escape.h; README "File names").
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/object_options.h"
#include "core/util/result.h"

namespace wbshim {

enum class StoreOutcome {
  Stored,   // done: stored, or deleted (deleting what is not there is done, too)
  Absent,   // head/get: there is no such object
  Refused,  // surely not done, and a person must mend it (403, key too long …): dead letter
  Blocked,  // surely not done; the store as a whole does nothing (no such bucket …): a person must
            // mend it, but nobody's file is at fault
  Credentials,  // surely not done; the credentials (or the region they were used with) were
                // refused: nobody's file is at fault, back off as a whole
  TryLater,     // surely not done (could not connect, 503 SlowDown …): retry with back-off
  Unknown,      // sent whole and unanswered, or answered with a 5xx: it may still land; retry, and
                // settle later (PROTOCOL.md 2.6). Never the outcome of head or get.
};

// What an s3fs mount shows of the object: x-amz-meta-mode/-uid/-gid/-mtime.
struct ObjectMeta {
  uint32_t mode = 0;  // st_mode with its type bits; a directory's key ends with '/', a symbolic
                      // link's body is its target
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_ns = 0;
  uint64_t generation = 0;  // x-amz-meta-wbshim-gen
};

struct StoreResult {
  StoreOutcome outcome = StoreOutcome::TryLater;
  std::string error_class;  // "AccessDenied", "SlowDown", "connect" …: a metric's label; empty when
                            // Stored or Absent
  std::string message;      // one sentence for people, with the server's request id where there is
                            // one; no secrets; empty when error_class is
  std::string etag;         // without quotes (put, head, get)
  uint64_t generation = 0;  // x-amz-meta-wbshim-gen (head, get), 0: none
  uint64_t size = 0;        // (head, get)
  ObjectMeta meta;          // (head, get); of an object that is not ours mode is 0
  std::string body;         // (get; parts_store.h)
  bool throttled = false;   // it asks for fewer requests
  bool mended = false;  // the cause is put right already (new keys, another clock): again at once
  uint64_t retry_after_ms = 0;  // the server's wish; 0: none
};

// One page of what lies directly in a directory.
struct ListedObject {
  std::string key;
  std::string etag;  // empty: not known without reading it
  uint64_t size = 0;
};
struct Listing {
  StoreOutcome outcome = StoreOutcome::TryLater;  // Stored: it is one; never Unknown
  std::string error_class;                        // as of StoreResult
  std::string message;
  std::vector<ListedObject> objects;     // the directory's own among them, if it has one
  std::vector<std::string> directories;  // keys with their '/', in which there is more
  std::string next;                      // of the next page; empty: this was the last
};

// The bytes of one upload: an immutable buffer read and hashed before the request
// (PROTOCOL.md 2.1).
struct Body {
  std::string bytes;
  std::string sha256_hex;               // empty: the store computes it
  std::optional<uint32_t> crc32c = {};  // likewise
};

class PartsStore;

class Store {
 public:
  using Done = std::function<void(StoreResult)>;
  virtual ~Store() = default;

  // The half that takes large objects in parts (parts_store.h); null: they go whole, by put().
  virtual PartsStore* parts() { return nullptr; }

  // What goes beyond max_connections waits inside, in order.
  // dated_ms: the claim's time (Redis' clock); the request is signed with it and never signed again
  // (PROTOCOL.md 2.4).
  virtual void put(const std::string& key, std::shared_ptr<const Body> body, const ObjectMeta& meta,
                   uint64_t dated_ms, Done done) = 0;
  virtual void remove(const std::string& key, uint64_t dated_ms, Done done) = 0;
  virtual void head(const std::string& key, Done done) = 0;
  virtual void get(const std::string& key, Done done) = 0;

  // What lies directly in a directory, a page at a time. directory: a key with its '/', or empty
  // for the whole store. page: `next` of the page before, or empty. One that does not exist is
  // empty. Of objects under way or just changed a list may show the older state (Swift's are late by
  // a second under load): head() has the last word.
  using Listed = std::function<void(Listing)>;
  virtual void list(const std::string& directory, const std::string& page, Listed done) = 0;

  // Is it there, may we write: before the uploader says it is ready. Waits at most timeout_ms. Ok,
  // or the one line for the user. Completions of other requests may run meanwhile.
  virtual Status probe(int timeout_ms) = 0;

  // Requests not yet completed.
  virtual size_t in_flight() const = 0;

  // Waits until something happens on the store's sockets, on one of the extra descriptors (poll
  // events), a signal arrives, or timeout_ms (-1: for ever) has passed; runs completions; sets
  // revents of the extras. May return early with nothing to tell.
  struct Extra {
    int fd;
    short events;
    short revents;
  };
  virtual void poll(std::vector<Extra>& extras, int timeout_ms) = 0;
};

struct StoreOptions {
  std::string url;                  // WBSHIM_STORE_URL
  std::string addressing = "auto";  // WBSHIM_S3_ADDRESSING
  std::string checksum = "auto";    // WBSHIM_S3_CHECKSUM
  unsigned max_connections = 20;    // WBSHIM_MAX_UPLOADS
  uint64_t bytes_per_second = 0;    // WBSHIM_UPLOAD_LIMIT; 0: no limit. s3:// only
  ObjectOptions objects = {};
  bool request_payer = false;  // WBSHIM_S3_REQUEST_PAYER
};

// Reads AWS_* from the environment (and the shared credentials and config files) for s3://. The
// error is the user's line. Nothing is sent or created yet: that is probe()'s and the requests'
// work.
Result<std::unique_ptr<Store>> open_store(const StoreOptions& options);

}  // namespace wbshim
