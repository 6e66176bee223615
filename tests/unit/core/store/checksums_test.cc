#include "core/store/checksums.h"

#include <doctest/doctest.h>

#include "core/base/crc32c.h"
#include "core/store/crypto.h"

using namespace wbshim;

namespace {

HttpAnswer answer_with(std::vector<std::pair<std::string, std::string>> headers,
                       long status = 200) {
  HttpAnswer answer;
  answer.status = status;
  answer.headers = std::move(headers);
  return answer;
}

const Body kBody{"123456789", "", 0xe3069283U};
constexpr char kHeader[] = "4waSgw==";  // 0xe3069283
constexpr char kMd5[] = "25f9e794323b453885f5181f1b624d0b";

std::string judged(const Checksums& sums, std::vector<std::pair<std::string, std::string>> headers,
                   const Body* body = &kBody) {
  return sums.compare(body, answer_with(std::move(headers))).error_class;
}

}  // namespace

TEST_CASE("checksums: the header is the big-endian number in base64") {
  CHECK(Checksums::header_of(&kBody) == kHeader);
  const Body unsummed{"123456789", ""};
  CHECK(Checksums::header_of(&unsummed) == kHeader);
  CHECK(Checksums::header_of(nullptr) == "AAAAAA==");
  CHECK(base64("") == "");
  CHECK(base64("ab") == "YWI=");
  CHECK(md5_hex("123456789") == kMd5);
}

TEST_CASE("checksums: an ETag that is an MD5 is compared") {
  const Checksums sums(ChecksumMode::Auto, false);
  CHECK(judged(sums, {{"etag", "\"" + std::string(kMd5) + "\""}}) == "");
  CHECK(judged(sums, {{"etag", "\"25F9E794323B453885F5181F1B624D0B\""}}) == "");
  CHECK(judged(sums, {{"etag", "\"25f9e794323b453885f5181f1b624d0c\""}}) == "ETagMismatch");
  CHECK(judged(sums, {{"etag", md5_hex("")}}, nullptr) == "");
  CHECK(judged(sums, {{"etag", kMd5}}, nullptr) == "ETagMismatch");
}

TEST_CASE("checksums: an ETag that means something else is not") {
  const Checksums sums(ChecksumMode::Auto, false);
  const std::string other = "25f9e794323b453885f5181f1b624d0c";
  for (const std::string& etag : {other + "-2", other.substr(1), "x" + other.substr(1)})
    CHECK(judged(sums, {{"etag", etag}}) == "");
  for (const char* kind : {"aws:kms", "aws:kms:dsse"})
    CHECK(judged(sums, {{"etag", other}, {"x-amz-server-side-encryption", kind}}) == "");
  CHECK(judged(sums, {{"etag", other},
                      {"x-amz-server-side-encryption-customer-algorithm", "AES256"}}) == "");
  CHECK(judged(sums, {{"etag", other}, {"x-amz-server-side-encryption", "AES256"}}) ==
        "ETagMismatch");
}

TEST_CASE("checksums: the server's own is compared, and none turns both off") {
  const Checksums sums(ChecksumMode::Crc32c, false);
  CHECK(judged(sums, {{kChecksumHeader, kHeader}}) == "");
  CHECK(judged(sums, {{kChecksumHeader, "AAAAAA=="}}) == "ChecksumMismatch");
  const Checksums none(ChecksumMode::None, true);
  CHECK_FALSE(none.sends());
  CHECK(judged(none, {{kChecksumHeader, "AAAAAA=="}, {"etag", md5_hex("")}}) == "");
}

TEST_CASE("checksums: auto sends them to AWS, and to whoever answers with them") {
  CHECK(parse_checksum_mode("auto") == ChecksumMode::Auto);
  CHECK(parse_checksum_mode("none") == ChecksumMode::None);
  CHECK(parse_checksum_mode("crc32c") == ChecksumMode::Crc32c);
  Checksums aws(ChecksumMode::Auto, true);
  CHECK_FALSE(aws.learn(answer_with({})));
  CHECK(aws.sends());

  Checksums deaf(ChecksumMode::Auto, false);
  CHECK(deaf.sends());
  CHECK_FALSE(deaf.learn(answer_with({}, 503)));
  CHECK(deaf.sends());
  CHECK_FALSE(deaf.learn(answer_with({})));
  CHECK_FALSE(deaf.sends());

  Checksums knowing(ChecksumMode::Auto, false);
  CHECK_FALSE(knowing.learn(answer_with({{kChecksumHeader, kHeader}})));
  CHECK(knowing.sends());

  Checksums refusing(ChecksumMode::Auto, false);
  CHECK(refusing.learn(answer_with({}, 501)));
  CHECK_FALSE(refusing.sends());
  CHECK_FALSE(refusing.learn(answer_with({}, 501)));

  Checksums always(ChecksumMode::Crc32c, false);
  CHECK_FALSE(always.learn(answer_with({}, 400)));
  CHECK_FALSE(always.learn(answer_with({})));
  CHECK(always.sends());
}
