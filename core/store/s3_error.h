// What a server's refusal means: one table from HTTP status and <Code> to an outcome, each row with
// its reason and what the user should do.
#pragma once

#include <string>
#include <string_view>

#include "core/store/store.h"

namespace wbshim {

// The parts of an <Error> document; empty where absent. Each is one line of at most 300 bytes,
// whatever the server sent.
struct S3Error {
  std::string code;  // letters, digits, '.', '_', '-' only: it becomes a metric's label
  std::string message;
  std::string request_id;
  std::string region;
};

// Finds them anywhere in the text; never fails.
S3Error parse_s3_error(std::string_view body);

struct S3Verdict {
  StoreOutcome outcome;
  // For people; {bucket} {endpoint} {endpoint_from} {id} {id_from} {secret_from} {region} are to be
  // filled in.
  const char* mend;
  bool throttled = false;   // too many requests
  bool about_time = false;  // what a wrong clock is answered with
  // What a request signed for another region than the bucket's is answered with.
  bool about_region = false;
};

// status: 3xx, 4xx or 5xx. sent_whole: whether the request went out to its last byte; a write that
// did not cannot have taken effect (its length and hash stand in its head).
S3Verdict judge_s3_error(long status, std::string_view code, bool sent_whole);

}  // namespace wbshim
