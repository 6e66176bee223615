#include "core/store/s3_store.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "core/store/crypto.h"
#include "tests/unit/core/store/s3_fixture.h"

using namespace wbshim;
using enum StoreOutcome;
using test::kSecret;
using test::kToken;

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: put") {
  answer(200, "", {{"etag", "\"abc-1\""}});
  const StoreResult result = drive().put("d/a b\xFF", "bytes", S_IFREG | 0644, 42);
  CHECK(result.outcome == Stored);
  CHECK(result.etag == "abc-1");
  CHECK(result.error_class == "");
  CHECK(result.message == "");
  const HttpRequest& asked = http->asked.back();
  CHECK(asked.method == "PUT");
  CHECK(asked.url == "http://127.0.0.1:9/bkt/pre/d/a%20b%25FF");
  CHECK(*asked.body == "bytes");
  CHECK(sent_header("host") == "127.0.0.1:9");
  CHECK(sent_header("x-amz-content-sha256") == sha256_hex("bytes"));
  CHECK(sent_header("x-amz-meta-mode") == "33188");
  CHECK(sent_header("x-amz-meta-wbshim-gen") == "42");
  CHECK(sent_header("x-amz-security-token") == kToken);
  CHECK(sent_header("x-amz-date") == "19700101T000000Z");  // the claim's time, not ours
  CHECK(sent_header("authorization").find("x-amz-meta-wbshim-gen") != std::string::npos);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: the body may be left out, its hash too") {
  answer(200, "", {{"etag", "\"e\""}});
  drive().run([&](Store::Done done) {
    store->put("d/", nullptr, test::meta_of(S_IFDIR | 0755), 1, std::move(done));
  });
  CHECK(sent_header("x-amz-content-sha256") == sha256_hex(""));
  CHECK(sent_header("content-type") == "application/x-directory");
  answer(200, "", {{"etag", "\"e\""}});
  drive().run([&](Store::Done done) {
    store->put("f", std::make_shared<Body>(Body{"abc", ""}), test::meta_of(S_IFREG | 0644), 1,
               std::move(done));
  });
  CHECK(sent_header("x-amz-content-sha256") == sha256_hex("abc"));
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: keys that are too long are never sent") {
  const size_t room = kMaxS3Key - std::string("pre/").size();
  answer(200, "", {{"etag", "\"e\""}});
  CHECK(drive().put(std::string(room, 'k'), "x").outcome == Stored);
  CHECK(http->asked.size() == 1);
  for (const std::string& key : {std::string(room + 1, 'k'), std::string(room / 3 + 1, '\xFF')}) {
    for (const StoreResult& result :
         {drive().put(key, "x"), drive().remove(key), drive().head(key), drive().get(key)}) {
      CHECK(result.outcome == Refused);
      CHECK(result.error_class == "KeyTooLong");
      CHECK(result.message.find("1024") != std::string::npos);
    }
  }
  CHECK(drive().put("", "x").error_class == "InvalidKey");
  CHECK(http->asked.size() == 1);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: remove") {
  answer(204);
  CHECK(drive().remove("k").outcome == Stored);
  CHECK(http->asked.back().method == "DELETE");
  error(404, "NoSuchKey");
  CHECK(drive().remove("k").outcome == Stored);
  error(404, "NoSuchBucket");
  CHECK(drive().remove("k").outcome == Blocked);
  fail("broken", true);
  CHECK(drive().remove("k").outcome == Unknown);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: head and get") {
  answer(200, "", {{"etag", "\"e\""}, {"content-length", "123"}, {"x-amz-meta-wbshim-gen", "77"}});
  StoreResult result = drive().head("k");
  CHECK(result.outcome == Stored);
  CHECK(result.size == 123);
  CHECK(result.generation == 77);
  CHECK(result.etag == "e");
  CHECK(sent_header("x-amz-date") == "20130524T000000Z");
  answer(200, "body", {{"etag", "e"}, {"content-length", "4"}});
  result = drive().get("k");
  CHECK(result.body == "body");
  CHECK(result.size == 4);
  CHECK(result.generation == 0);
  answer(200, "body", {{"etag", "e"}, {"transfer-encoding", "chunked"}});
  CHECK(drive().get("k").body == "body");
  answer(200, "body", {{"etag", "e"}, {"content-length", "5"}});
  CHECK(drive().get("k").outcome == TryLater);
  answer(200, "body", {{"etag", "e"}});
  result = drive().get("k");
  CHECK(result.outcome == TryLater);
  CHECK(result.error_class == "broken");
  CHECK(result.body == "");
  answer(404);
  CHECK(drive().head("k").outcome == Absent);
  error(404, "NoSuchKey");
  result = drive().get("k");
  CHECK(result.outcome == Absent);
  CHECK(result.message == "");
  error(404, "NoSuchBucket");
  CHECK(drive().get("k").outcome == Blocked);
  error(500, "InternalError");
  CHECK(drive().get("k").outcome == TryLater);
  fail("broken", true, 200);
  CHECK(drive().get("k").outcome == TryLater);
  fail("timeout", true);
  CHECK(drive().head("k").outcome == TryLater);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: head tells the attributes") {
  answer(200, "",
         {{"etag", "\"e\""},
          {"x-amz-meta-mode", "33188"},
          {"x-amz-meta-uid", "1000"},
          {"x-amz-meta-gid", "100"},
          {"x-amz-meta-mtime", "1700000000.5"},
          {"x-amz-meta-wbshim-gen", "77"}});
  const StoreResult result = drive().head("k");
  CHECK(result.meta.mode == 33188);
  CHECK(result.meta.uid == 1000);
  CHECK(result.meta.gid == 100);
  CHECK(result.meta.mtime_ns == 1'700'000'000'500'000'000);
  CHECK(result.meta.generation == 77);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: list") {
  const std::string head = "<ListBucketResult><EncodingType>url</EncodingType>";
  answer(200, head +
                  "<IsTruncated>true</IsTruncated><NextContinuationToken>t/1 +"
                  "</NextContinuationToken><Contents><Key>pre/a/</Key><ETag>\"d\"</ETag></Contents>"
                  "<Contents><Key>pre/a/%25FF+x</Key><ETag>\"e\"</ETag><Size>5</Size></Contents>"
                  "<CommonPrefixes><Prefix>pre/a/s/</Prefix></CommonPrefixes></ListBucketResult>");
  const Listing first = drive().list("a/");
  CHECK(first.outcome == Stored);
  CHECK(http->asked.back().method == "GET");
  CHECK(http->asked.back().url ==
        "http://127.0.0.1:9/bkt/?delimiter=%2F&encoding-type=url&list-type=2&prefix=pre%2Fa%2F");
  REQUIRE(first.objects.size() == 2);
  CHECK(first.objects[0].key == "a/");
  CHECK(first.objects[1].key == "a/\xFF x");
  CHECK(first.objects[1].etag == "e");
  CHECK(first.objects[1].size == 5);
  CHECK(first.directories == std::vector<std::string>{"a/s/"});
  CHECK(first.next == "t/1 +");
  answer(200, head +
                  "<IsTruncated>false</IsTruncated><Contents><Key>other</Key></Contents>"
                  "<Contents><Key>pre/b%25FF</Key></Contents></ListBucketResult>");
  const Listing second = drive().list("", first.next);
  CHECK(http->asked.back().url.find("continuation-token=t%2F1%20%2B&") != std::string::npos);
  REQUIRE(second.objects.size() == 1);  // what is outside the prefix is nobody's business
  CHECK(second.objects[0].key == "b\xFF");
  CHECK(second.next.empty());
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: a list that failed is never an empty one") {
  error(403, "AccessDenied");
  Listing listing = drive().list("");
  CHECK(listing.outcome == Refused);
  CHECK(listing.message.find("s3:ListBucket") != std::string::npos);
  error(404, "NoSuchKey");
  CHECK(drive().list("").outcome == Refused);
  error(404, "NoSuchBucket");
  CHECK(drive().list("").outcome == Blocked);
  error(503, "SlowDown");
  CHECK(drive().list("").outcome == TryLater);
  fail("broken", true, 200);
  CHECK(drive().list("").outcome == TryLater);
  for (const char* body : {"<html>portal</html>", "<ListBucketResult><Contents>", ""}) {
    answer(200, body);
    listing = drive().list("");
    CHECK(listing.outcome == TryLater);
    CHECK(listing.message.find("no list of S3's") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: what a put without an answer means") {
  struct Row {
    const char* failure;
    long status;
    StoreOutcome outcome;
    bool sent_whole;
  };
  const Row rows[] = {{"connect", 0, TryLater, false}, {"tls", 0, TryLater, false},
                      {"timeout", 0, Unknown, true},   {"timeout", 0, TryLater, false},
                      {"broken", 0, Unknown, true},    {"broken", 0, TryLater, false},
                      {"broken", 200, Unknown, true},  {"broken", 403, Refused, false}};
  for (const Row& row : rows) {
    CAPTURE(row.failure);
    fail(row.failure, row.sent_whole, row.status);
    const StoreResult result = drive().put("k", "x");
    CHECK(result.outcome == row.outcome);
    if (row.status != 403) CHECK(result.error_class == row.failure);
    CHECK(result.message.find("PUT 'k'") != std::string::npos);
  }
  error(500, "InternalError", true);
  CHECK(drive().put("k", "x").outcome == Unknown);
  error(500, "InternalError", false);
  CHECK(drive().put("k", "x").outcome == TryLater);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: a 200 without an ETag is not S3's") {
  answer(200, "<html>Welcome to the hotel network</html>");
  const StoreResult result = drive().put("k", "x");
  CHECK(result.outcome == Unknown);
  CHECK(result.error_class == "NoETag");
  answer(200, "<html>");
  CHECK(drive().get("k").outcome == TryLater);
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: messages name place, request and mend in one line, and no secret") {
  answer(403,
         "<Error><Code>AccessDenied</Code><Message>no " + std::string(kSecret) + " and " + kToken +
             " here.\n</Message></Error>",
         {{"x-amz-request-id", "rid-1"}});
  const StoreResult denied = drive().put("a\nb", "x");
  CHECK(denied.message ==
        "s3://bkt/pre at http://127.0.0.1:9: PUT 'a\\nb' was answered 403 AccessDenied, request id "
        "rid-1: "
        "no *** and *** here; access key id 'KEYID' (AWS_ACCESS_KEY_ID) may not do this; allow "
        "s3:PutObject, "
        "s3:GetObject and s3:DeleteObject on the bucket and prefix");
  CHECK(denied.error_class == "AccessDenied");
  fail("connect", false);
  CHECK(
      drive().put("k", "x").message ==
      "s3://bkt/pre at http://127.0.0.1:9: PUT 'k' failed: it did not work; is the endpoint right "
      "(AWS_ENDPOINT_URL_S3), and the network up?");
  answer(301, "", {{"x-amz-bucket-region", "eu-west-1"}});
  const StoreResult moved = drive().put("k", "x");
  CHECK(moved.error_class == "http_301");
  CHECK(moved.message.find("set AWS_REGION to 'eu-west-1'") != std::string::npos);
  answer(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>",
         {{"date", "Mon, 01 Jan 2035 00:00:00 GMT"}});
  CHECK(drive().put("k", "x").message.find("the server's clock says Mon, 01 Jan 2035") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: refused credentials are looked up anew, but not for every request") {
  error(403, "ExpiredToken");
  StoreResult result = drive().put("k", "x");
  CHECK(result.outcome == TryLater);  // with the new ones
  CHECK(result.mended);
  CHECK(reloads == 1);
  error(403, "ExpiredToken");
  result = drive().put("k", "x");
  CHECK(result.outcome == Credentials);
  CHECK_FALSE(result.mended);
  CHECK(reloads == 1);
  CHECK(sent_header("authorization").find("Credential=NEWID/") != std::string::npos);
  CHECK(sent_header("x-amz-security-token") == "missing");
  http->polled_ms += kReloadEvery_ms;
  error(403, "InvalidAccessKeyId");
  CHECK(drive().put("k", "x").outcome == Credentials);  // the same again
  CHECK(reloads == 2);
  error(403, "InvalidAccessKeyId");
  CHECK(drive().put("k", "x").message.find("'NEWID'") != std::string::npos);
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: a wrong clock is corrected by the server's, once it refuses") {
  const auto skewed = [&](const char* date, const char* code = "RequestTimeTooSkewed") {
    answer(403, "<Error><Code>" + std::string(code) + "</Code></Error>", {{"date", date}});
    return drive().put("k", "x");  // dated 1970-01-01 00:00:00
  };
  CHECK(skewed("Thu, 01 Jan 1970 00:20:00 GMT").mended);
  answer(200, "", {{"etag", "\"e\""}});
  CHECK(drive().put("k", "x").outcome == Stored);
  CHECK(sent_header("x-amz-date") == "19700101T002000Z");
  // Another skew by now, told by a signature that does not match.
  CHECK(skewed("Thu, 01 Jan 1970 00:50:00 GMT", "SignatureDoesNotMatch").mended);
  // That did not help: it is taken back, and nothing is worth an immediate try.
  const StoreResult result = skewed("Thu, 01 Jan 1970 00:50:01 GMT");
  CHECK_FALSE(result.mended);
  CHECK(result.outcome == TryLater);
  answer(200, "", {{"etag", "\"e\""}});
  drive().put("k", "x");
  CHECK(sent_header("x-amz-date") == "19700101T000000Z");
  // Without a date, or of another refusal, nothing is learned.
  error(403, "RequestTimeTooSkewed");
  CHECK_FALSE(drive().put("k", "x").mended);
  CHECK_FALSE(skewed("Thu, 01 Jan 1970 00:20:00 GMT", "AccessDenied").mended);
  // The other clock is not touched.
  answer(404);
  drive().head("k");
  CHECK(sent_header("x-amz-date") == "20130524T000000Z");
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: what asks for fewer requests, and for how long to wait") {
  answer(503, "<Error><Code>SlowDown</Code></Error>", {{"retry-after", "7"}});
  StoreResult result = drive().put("k", "x");
  CHECK(result.throttled);
  CHECK(result.retry_after_ms == 7000);
  answer(503, "", {{"retry-after", "86400"}});
  result = drive().put("k", "x");
  CHECK(result.throttled);
  CHECK(result.retry_after_ms == 60000);
  answer(503, "<Error><Code>SlowDown</Code></Error>",
         {{"retry-after", "Fri, 24 May 2013 00:00:30 GMT"}});
  CHECK(drive().put("k", "x").retry_after_ms == 30000);
  error(500, "InternalError");
  result = drive().put("k", "x");
  CHECK_FALSE(result.throttled);
  CHECK(result.retry_after_ms == 0);
}

TEST_CASE_FIXTURE(test::S3Fixture, "s3 store: probe writes a scratch object and deletes it") {
  answer(200, "", {{"etag", "\"e\""}});
  answer(204);
  CHECK(store->probe(1000).ok());
  REQUIRE(http->asked.size() == 2);
  CHECK(http->asked[0].method == "PUT");
  CHECK(http->asked[1].method == "DELETE");
  for (const HttpRequest& asked : http->asked)
    CHECK(asked.url == "http://127.0.0.1:9/bkt/pre/.wbshim-probe");

  error(404, "NoSuchBucket");
  CHECK(store->probe(1000).message().find("no bucket 'bkt'") != std::string::npos);
  CHECK(http->asked.size() == 3);
  answer(200, "", {{"etag", "\"e\""}});
  error(403, "AccessDenied");
  CHECK(store->probe(1000).message().find("DELETE '.wbshim-probe' was answered 403 AccessDenied") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: probe gives up in time, and a late answer is harmless") {
  CHECK(store->probe(500).message().find("no answer within 500 ms") != std::string::npos);
  CHECK(store->in_flight() == 1);
  answer(200, "", {{"etag", "\"e\""}});
  std::vector<Store::Extra> none;
  store->poll(none, 0);
  CHECK(store->in_flight() == 0);
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: a put whose ETag belongs to other bytes is not stored") {
  answer(200, "", {{"etag", "\"" + md5_hex("other") + "\""}});
  StoreResult result = drive().put("k", "bytes");
  CHECK(result.outcome == Unknown);
  CHECK(result.error_class == "ETagMismatch");
  CHECK(result.message.find("PUT 'k': the server has other bytes than were sent") !=
        std::string::npos);
  answer(200, "", {{"etag", "\"" + md5_hex("bytes") + "\""}});
  CHECK(drive().put("k", "bytes").outcome == Stored);
  answer(200, "", {{"etag", "\"e-1\""}, {kChecksumHeader, "AAAAAA=="}});
  result = drive().put("k", "bytes");
  CHECK(result.outcome == Unknown);
  CHECK(result.error_class == "ChecksumMismatch");
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: the checksum is signed, and sent as long as it is answered") {
  const std::string ours = Checksums::header_of(test::body_of("bytes").get());
  answer(200, "", {{"etag", "e"}, {kChecksumHeader, ours}});
  CHECK(drive().put("k", "bytes").outcome == Stored);
  CHECK(sent_header(kChecksumHeader) == ours);
  CHECK(sent_header("authorization").find("x-amz-checksum-crc32c") != std::string::npos);
  answer(200, "", {{"etag", "e"}});
  CHECK(drive().put("k", "bytes").outcome == Stored);
  CHECK(sent_header(kChecksumHeader) == ours);
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: a server that does not know the checksum is spared it") {
  answer(200, "", {{"etag", "e"}});
  CHECK(drive().put("k", "bytes").outcome == Stored);
  answer(200, "", {{"etag", "e"}});
  CHECK(drive().put("k", "bytes").outcome == Stored);
  CHECK(sent_header(kChecksumHeader) == "missing");
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: probe goes on without the checksum where it is refused") {
  error(501, "NotImplemented");
  answer(200, "", {{"etag", "e"}});
  answer(204);
  CHECK(store->probe(1000).ok());
  REQUIRE(http->asked.size() == 3);
  error(501, "NotImplemented");
  CHECK_FALSE(store->probe(1000).ok());
}

TEST_CASE_FIXTURE(test::S3Fixture,
                  "s3 store: a server that says our token as a region is not quoted") {
  answer(301, "", {{"x-amz-bucket-region", std::string("is it ") + kToken}});
  const std::string message = drive().put("k", "x").message;
  CHECK(message.find(kToken) == std::string::npos);
  CHECK(message.find("set AWS_REGION to 'is it ***'") != std::string::npos);
}
