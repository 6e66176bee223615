#include "core/store/checksums.h"

#include <algorithm>

#include "core/base/crc32c.h"
#include "core/store/crypto.h"
#include "core/util/ascii.h"
#include "core/util/bytes.h"

namespace wbshim {
namespace {

constexpr size_t kMd5Digits = 32;

std::string_view bytes_of(const Body* body) {
  return body ? std::string_view(body->bytes) : std::string_view();
}

bool encrypted_with_a_key(const HttpAnswer& answer) {
  constexpr std::string_view kKms = "aws:kms";
  return answer.header("x-amz-server-side-encryption").substr(0, kKms.size()) == kKms ||
         !answer.header("x-amz-server-side-encryption-customer-algorithm").empty();
}

// The MD5 that the ETag is, in lower case; empty when it is none.
std::string md5_in(const HttpAnswer& answer) {
  const std::string etag = lower_case(trim(answer.header("etag"), "\""));
  const bool digits =
      etag.size() == kMd5Digits && etag.find_first_not_of("0123456789abcdef") == std::string::npos;
  return digits && !encrypted_with_a_key(answer) ? etag : "";
}

}  // namespace

ChecksumMode parse_checksum_mode(std::string_view text) {
  if (text == "none") return ChecksumMode::None;
  return text == "crc32c" ? ChecksumMode::Crc32c : ChecksumMode::Auto;
}

Checksums::Checksums(ChecksumMode mode, bool aws)
    : mode_(mode),
      sends_(mode != ChecksumMode::None),
      learning_(mode == ChecksumMode::Auto && !aws) {}

std::string Checksums::header_of(const Body* body) {
  const uint32_t crc = body && body->crc32c ? *body->crc32c : crc32c(bytes(bytes_of(body)));
  const char raw[] = {static_cast<char>(crc >> 24), static_cast<char>(crc >> 16),
                      static_cast<char>(crc >> 8), static_cast<char>(crc)};
  return base64({raw, sizeof raw});
}

bool Checksums::learn(const HttpAnswer& answer) {
  if (!learning_ || !answer.failure_class.empty()) return false;
  if (answer.status >= 200 && answer.status <= 299) {
    learning_ = false;
    sends_ = !answer.header(kChecksumHeader).empty();
    return false;
  }
  // How servers say that a header is unknown to them.
  if (answer.status != 400 && answer.status != 501) return false;
  learning_ = sends_ = false;
  return true;
}

Checksums::Mismatch Checksums::compare(const Body* body, const HttpAnswer& answer) const {
  if (mode_ == ChecksumMode::None) return {};
  const std::string_view theirs = answer.header(kChecksumHeader);
  if (!theirs.empty()) {
    const std::string ours = header_of(body);
    if (theirs != ours) {
      return {"ChecksumMismatch", "the server has other bytes than were sent (CRC-32C " +
                                      std::string(theirs) + ", not " + ours +
                                      "); it will be tried again"};
    }
  }
  const std::string md5 = md5_in(answer);
  if (md5.empty()) return {};
  const std::string ours = md5_hex(bytes_of(body));
  if (md5 == ours) return {};
  return {"ETagMismatch", "the server has other bytes than were sent (ETag " + md5 + ", MD5 " +
                              ours +
                              "); it will be tried again (if this server's ETags are no MD5 sums: "
                              "WBSHIM_S3_CHECKSUM=none)"};
}

}  // namespace wbshim
