#include "core/store/object_options.h"

#include <doctest/doctest.h>

#include <map>

#include "core/store/store_options.h"

using namespace wbshim;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

StoreOptions of(const std::vector<std::string>& environment) {
  ConfigSources sources;
  sources.environment = environment;
  sources.environment.emplace_back("HOME=/h");
  const auto config = Config::load(sources);
  REQUIRE_MESSAGE(config.ok(), (config.ok() ? "" : config.message()));
  return store_options(config.value(), 3);
}

Encryption answered(const ObjectOptions& wished,
                    const std::map<std::string, std::string>& headers) {
  return encryption_of(wished, [&](std::string_view name) {
    const auto at = headers.find(std::string(name));
    return at == headers.end() ? std::string_view() : std::string_view(at->second);
  });
}

}  // namespace

TEST_CASE("object options: nothing is sent that nobody asked for") {
  const StoreOptions plain = of({});
  Headers headers;
  plain.objects.add_headers(headers);
  CHECK(headers.empty());
  CHECK(plain.objects.named().empty());
  CHECK_FALSE(plain.request_payer);
  CHECK(plain.max_connections == 3);
}

TEST_CASE("object options: each is a header") {
  const StoreOptions all =
      of({"WBSHIM_S3_STORAGE_CLASS=STANDARD_IA", "WBSHIM_S3_SSE=aws:kms",
          "WBSHIM_S3_SSE_KMS_KEY_ID=alias/k", "WBSHIM_S3_ACL=public-read", "WBSHIM_S3_TAGS=a=1&b=2",
          "WBSHIM_S3_CACHE_CONTROL=max-age=60", "WBSHIM_S3_REQUEST_PAYER=1"});
  Headers headers;
  all.objects.add_headers(headers);
  CHECK(headers == Headers{{"x-amz-storage-class", "STANDARD_IA"},
                           {"x-amz-server-side-encryption", "aws:kms"},
                           {"x-amz-server-side-encryption-aws-kms-key-id", "alias/k"},
                           {"x-amz-acl", "public-read"},
                           {"x-amz-tagging", "a=1&b=2"},
                           {"cache-control", "max-age=60"}});
  CHECK(all.request_payer);
  CHECK(of({"WBSHIM_S3_ACL=private", "WBSHIM_S3_TAGS=x="}).objects.named() ==
        "WBSHIM_S3_ACL, WBSHIM_S3_TAGS");
}

TEST_CASE("object options: what the answer says of the encryption") {
  const std::string sse = "x-amz-server-side-encryption", key = sse + "-aws-kms-key-id";
  CHECK(answered({}, {{sse, "aws:kms"}}) == Encryption::AsWished);  // the bucket's own
  ObjectOptions wished;
  wished.sse = "AES256";
  CHECK(answered(wished, {{sse, "AES256"}}) == Encryption::AsWished);
  CHECK(answered(wished, {}) == Encryption::NotSaid);
  CHECK(answered(wished, {{sse, "aws:kms"}}) == Encryption::Other);
  wished.sse = "aws:kms";
  CHECK(answered(wished, {{sse, "aws:kms"}}) == Encryption::AsWished);
  CHECK(answered(wished, {{sse, "AES256"}}) == Encryption::Other);
  CHECK(answered(wished, {}) == Encryption::Other);
  wished.kms_key = "alias/k";
  CHECK(answered(wished, {{sse, "aws:kms"}, {key, "arn:aws:kms:r:1:key/9"}}) ==
        Encryption::AsWished);
  wished.kms_key = "arn:aws:kms:r:1:key/8";
  CHECK(answered(wished, {{sse, "aws:kms"}, {key, "arn:aws:kms:r:1:key/9"}}) == Encryption::Other);
  CHECK(answered(wished, {{sse, "aws:kms"}, {key, wished.kms_key}}) == Encryption::AsWished);
}
