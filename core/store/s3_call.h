// One request of S3's, before it is signed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/store/sigv4.h"
#include "core/store/store.h"

namespace wbshim {

enum class S3Verb {
  Put,
  Delete,
  Head,
  Get,
  List,
  Begin,        // POST ?uploads
  Part,         // PUT ?partNumber&uploadId
  Complete,     // POST ?uploadId
  Abort,        // DELETE ?uploadId
  ListParts,    // GET ?uploadId
  ListUploads,  // GET ?uploads, of the bucket
  Copy,         // PUT with x-amz-copy-source
};

struct S3Traits {
  const char* method;
  bool dated;       // by the caller (PROTOCOL.md 2.4)
  bool may_land;    // unanswered, it may change what is seen under the key: Unknown
  bool whole_body;  // the answer's body says what was done, with an ETag or not in its head
  bool of_upload;   // of one upload in parts
};
const S3Traits& traits_of(S3Verb verb);

struct S3Call {
  S3Verb verb = S3Verb::Get;
  std::string key = {};  // empty: the bucket
  std::vector<sigv4::Pair> query = {};
  std::vector<sigv4::Pair> headers = {};
  std::shared_ptr<const Body> body = nullptr;
  uint64_t dated_ms = 0;  // if the verb is dated by the caller
};

using S3Sender = std::function<void(S3Call call, Store::Done done)>;

}  // namespace wbshim
