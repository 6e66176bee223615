#include "core/store/object_options.h"

#include "core/util/config.h"

namespace wbshim {
namespace {

constexpr char kSse[] = "x-amz-server-side-encryption";
constexpr char kKmsKey[] = "x-amz-server-side-encryption-aws-kms-key-id";

struct Row {
  const char* header;
  Option option;
  std::string ObjectOptions::*value;
};
constexpr Row kRows[] = {
    {"x-amz-storage-class", Option::S3_STORAGE_CLASS, &ObjectOptions::storage_class},
    {kSse, Option::S3_SSE, &ObjectOptions::sse},
    {kKmsKey, Option::S3_SSE_KMS_KEY_ID, &ObjectOptions::kms_key},
    {"x-amz-acl", Option::S3_ACL, &ObjectOptions::acl},
    {"x-amz-tagging", Option::S3_TAGS, &ObjectOptions::tags},
    {"cache-control", Option::S3_CACHE_CONTROL, &ObjectOptions::cache_control},
};

// An alias or a bare id is answered with the key's ARN, which therefore is compared with an ARN only.
bool names_a_key(std::string_view key) {
  return key.substr(0, 4) == "arn:" && key.find(":key/") != std::string_view::npos;
}

}  // namespace

void ObjectOptions::add_headers(std::vector<std::pair<std::string, std::string>>& headers) const {
  for (const Row& row : kRows) {
    if (!(this->*row.value).empty()) headers.emplace_back(row.header, this->*row.value);
  }
}

std::string ObjectOptions::named() const {
  std::string out;
  for (const Row& row : kRows) {
    if ((this->*row.value).empty()) continue;
    if (!out.empty()) out += ", ";
    out += environment_name(row.option);
  }
  return out;
}

ObjectOptions object_options(const Config& config) {
  ObjectOptions out;
  for (const Row& row : kRows) out.*row.value = config.text(row.option);
  if (out.sse == "none") out.sse.clear();
  return out;
}

Encryption encryption_of(const ObjectOptions& wished,
                         const std::function<std::string_view(std::string_view)>& header) {
  if (wished.sse.empty()) return Encryption::AsWished;
  const std::string_view said = header(kSse);
  if (said.empty() && wished.sse == "AES256") return Encryption::NotSaid;
  if (said != wished.sse) return Encryption::Other;
  const std::string_view key = header(kKmsKey);
  const bool other_key = names_a_key(wished.kms_key) && !key.empty() && key != wished.kms_key;
  return other_key ? Encryption::Other : Encryption::AsWished;
}

}  // namespace wbshim
