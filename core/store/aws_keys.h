// Keys with their origin and their end, and the answers in which services and programs hand them
// over. Pure; no message holds a secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/store/sigv4.h"
#include "core/util/result.h"

namespace wbshim {

struct AwsKeys {
  sigv4::Keys keys;  // without an id requests go unsigned
  // For messages: "AWS_ACCESS_KEY_ID", "aws_access_key_id in ~/.aws/credentials [default]",
  // "credential_process in ~/.aws/config [profile x]", "the instance's role web (IMDS)" …
  std::string id_from;
  std::string secret_from;
  uint64_t expires_ms = 0;  // since 1970; 0: not that anybody said so
};

// Whether requests can be made with them: an id and a secret, and nothing that breaks a header.
// Empty, or what is wrong.
std::string fault_of(const sigv4::Keys& keys);

// "2026-01-31T12:00:00Z", with a fraction or an offset too; milliseconds since 1970.
std::optional<uint64_t> parse_iso_time(std::string_view text);
std::string iso_time(uint64_t ms);  // "2026-01-31T12:00:00Z"

// {"AccessKeyId", "SecretAccessKey", token_name, "Expiration"}: a container's or an instance's
// ("Token"), or a program's ("SessionToken"). The error says what the answer lacks, as in "its
// answer is no JSON"; keys that are past their end at now_ms are one, too.
Result<AwsKeys> keys_of_json(std::string_view text, const char* token_name, uint64_t now_ms);

// STS' <Credentials>; the same.
Result<AwsKeys> keys_of_sts(std::string_view text, uint64_t now_ms);

// Replaces what may be a secret: 40 and more letters and digits of every kind in a row.
std::string without_key_like_words(std::string text);

}  // namespace wbshim
