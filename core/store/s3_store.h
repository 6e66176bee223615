// s3://bucket/prefix: one plain object a file, signed (sigv4.h), over kept connections (http.h).
// One request an operation; nothing is retried here, the outcome says what the caller may do.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/store/checksums.h"
#include "core/store/credentials.h"
#include "core/store/http.h"
#include "core/store/s3_place.h"
#include "core/store/store.h"

namespace wbshim {

inline constexpr size_t kMaxS3Key = 1024;  // bytes, prefix and escapes included

struct S3Setup {
  S3Place place;
  AwsSettings aws;
  std::unique_ptr<Http> http;
  // For head, get and probe; put and remove are dated by the caller.
  std::function<uint64_t()> now_ms;
  // Asked for new keys when the old ones were refused, at most every kReloadEvery_ms; may be empty.
  // Must not wait: what takes its time comes by `fresh`.
  std::function<Result<AwsSettings>()> reload;
  // Asked before each request: keys that were renewed meanwhile. May be empty.
  std::function<std::optional<AwsKeys>()> fresh;
  ChecksumMode checksum = ChecksumMode::Auto;
  ObjectOptions objects = {};
  bool request_payer = false;
};

inline constexpr uint64_t kReloadEvery_ms = 5000;

std::unique_ptr<Store> make_s3_store(S3Setup setup);

}  // namespace wbshim
