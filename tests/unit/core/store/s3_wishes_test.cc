// What is asked for with new objects, and what is learnt from refusals.
#include "tests/unit/core/store/s3_fixture.h"

using namespace wbshim;
using enum StoreOutcome;

TEST_CASE("s3 store: what is asked for goes with every put, and is named when it is refused") {
  ObjectOptions wished;
  wished.storage_class = "GLACIER_IR";
  wished.tags = "a=1&b=%2F";
  test::S3Fixture t(wished);
  t.answer(200, "", {{"etag", "e"}});
  CHECK(t.drive().put("a.png", "x").outcome == Stored);
  CHECK(t.sent_header("content-type") == "image/png");
  CHECK(t.sent_header("x-amz-storage-class") == "GLACIER_IR");
  CHECK(t.sent_header("x-amz-tagging") == "a=1&b=%2F");
  CHECK(t.sent_header("authorization").find(";x-amz-tagging,") != std::string::npos);
  t.error(501, "NotImplemented");
  const StoreResult refused = t.drive().put("k", "x");
  CHECK(refused.outcome == Refused);
  CHECK(refused.message.find("it was sent with WBSHIM_S3_STORAGE_CLASS, WBSHIM_S3_TAGS") !=
        std::string::npos);
  t.error(400, "InvalidStorageClass");
  CHECK(t.drive().put("k", "x").outcome == Blocked);
  t.answer(404);
  t.drive().head("k");
  CHECK(t.sent_header("x-amz-storage-class") == "missing");
  CHECK(t.sent_header("x-amz-request-payer") == "requester");
  t.answer(200, "<ListBucketResult></ListBucketResult>");
  (void)t.drive().list("");
  CHECK(t.sent_header("x-amz-request-payer") == "requester");
}

TEST_CASE("s3 store: encryption that was ignored is no success") {
  ObjectOptions wished;
  wished.sse = "aws:kms";
  wished.kms_key = "k-1";
  test::S3Fixture t(wished);
  t.answer(200, "", {{"etag", "e"}});
  const StoreResult result = t.drive().put("k", "x");
  CHECK(result.outcome == Unknown);
  CHECK(result.error_class == "NotEncrypted");
  CHECK(result.message.find("aws:kms and key 'k-1'; correct WBSHIM_S3_SSE") != std::string::npos);
  CHECK(t.sent_header("x-amz-server-side-encryption-aws-kms-key-id") == "k-1");
  t.answer(200, "", {{"etag", "e"}, {"x-amz-server-side-encryption", "aws:kms"}});
  CHECK(t.drive().put("k", "x").outcome == Stored);
  wished.sse = "AES256";
  wished.kms_key.clear();
  test::S3Fixture other(wished);
  other.answer(200, "", {{"etag", "e"}});
  CHECK(other.drive().put("k", "x").outcome == Stored);
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: the bucket's region is learnt from a refusal, a few times at most") {
  const auto scope = [&] {
    const std::string line = sent_header("authorization");
    const size_t at = line.find('/', line.find('/') + 1) + 1;
    return line.substr(at, line.find('/', at) - at);
  };
  answer(301, "<Error><Code>PermanentRedirect</Code></Error>",
         {{"x-amz-bucket-region", "eu-west-1"}});
  const StoreResult moved = drive().put("k", "x");
  CHECK(moved.mended);
  CHECK(moved.outcome == TryLater);
  CHECK(scope() == "us-east-1");
  answer(200, "", {{"etag", "e"}});
  CHECK(drive().put("k", "x").outcome == Stored);
  CHECK(scope() == "eu-west-1");
  CHECK(http->asked.back().url == "http://127.0.0.1:9/bkt/pre/k");
  answer(307, "", {{"x-amz-bucket-region", "eu-west-1"}});
  CHECK_FALSE(drive().put("k", "x").mended);  // that is what we have
  answer(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>r-1</Region></Error>");
  CHECK(drive().put("k", "x").mended);
  for (const char* name : {"r-2"}) {
    answer(400, "", {{"x-amz-bucket-region", name}});
    CHECK(drive().head("k").mended);
  }
  answer(400, "", {{"x-amz-bucket-region", "r-4"}});
  CHECK_FALSE(drive().head("k").mended);
  answer(403, "<Error><Code>AccessDenied</Code></Error>", {{"x-amz-bucket-region", "r-5"}});
  CHECK_FALSE(drive().put("k", "x").mended);  // refused for another reason
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: what was under way when the region was learnt goes again, too") {
  const auto put = [this](bool* mended) {
    store->put("k", test::body_of("x"), test::meta_of(S_IFREG | 0644), 1,
               [mended](const StoreResult& result) { *mended = result.mended; });
  };
  bool first = false, second = false;
  put(&first);
  put(&second);
  for (int i = 0; i < 2; i++) answer(301, "", {{"x-amz-bucket-region", "eu-west-1"}});
  std::vector<Store::Extra> none;
  store->poll(none, 0);
  CHECK(first);
  CHECK(second);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: keys that were renewed sign the next request") {
  renewed = AwsKeys{{"RENEWED", "s", ""}, "the keeper", "the keeper", 0};
  answer(200, "", {{"etag", "\"e\""}});
  CHECK(drive().put("k", "x").outcome == Stored);
  CHECK(sent_header("authorization").find("Credential=RENEWED/") != std::string::npos);
  error(403, "AccessDenied");
  CHECK(drive().put("k", "x").message.find("'RENEWED' (the keeper)") != std::string::npos);
  CHECK(reloads == 0);
}
