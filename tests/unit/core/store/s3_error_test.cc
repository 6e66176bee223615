#include "core/store/s3_error.h"

#include <doctest/doctest.h>

#include "tests/unit/core/store/seed.h"

using namespace wbshim;
using enum StoreOutcome;

TEST_CASE("s3 error: outcomes") {
  struct Row {
    long status;
    const char* code;
    StoreOutcome sent;      // the request went out whole
    StoreOutcome not_sent;  // it did not
  };
  const Row rows[] = {
      {503, "SlowDown", TryLater, TryLater},
      {429, "", TryLater, TryLater},
      {429, "TooManyRequests", TryLater, TryLater},
      {400, "RequestTimeout", TryLater, TryLater},
      {400, "BadDigest", TryLater, TryLater},
      {400, "XAmzContentSHA256Mismatch", TryLater, TryLater},
      {409, "OperationAborted", TryLater, TryLater},
      {403, "RequestTimeTooSkewed", TryLater, TryLater},
      {307, "TemporaryRedirect", TryLater, TryLater},
      {507, "", TryLater, TryLater},
      {403, "SignatureDoesNotMatch", Credentials, Credentials},
      {403, "InvalidAccessKeyId", Credentials, Credentials},
      {400, "ExpiredToken", Credentials, Credentials},
      {400, "AuthorizationHeaderMalformed", Credentials, Credentials},
      {301, "PermanentRedirect", Credentials, Credentials},
      {301, "", Credentials, Credentials},
      {401, "", Credentials, Credentials},
      {403, "AccessDenied", Refused, Refused},
      {403, "", Refused, Refused},
      {404, "NoSuchBucket", Blocked, Blocked},
      {404, "", Refused, Refused},
      {400, "KeyTooLongError", Refused, Refused},
      {400, "EntityTooLarge", Refused, Refused},
      {400, "SomethingNew", Refused, Refused},
      {413, "", Refused, Refused},
      {501, "NotImplemented", Refused, Refused},
      {302, "", Refused, Refused},  // a web server
      {500, "InternalError", Unknown, TryLater},
      {500, "", Unknown, TryLater},
      {502, "", Unknown, TryLater},
      {503, "ServiceUnavailable", Unknown,
       TryLater},  // perhaps a part of a cluster, after another stored
      {503, "", Unknown, TryLater},
      {504, "", Unknown, TryLater},
      {599, "New", Unknown, TryLater},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.code);
    CHECK(judge_s3_error(row.status, row.code, true).outcome == row.sent);
    CHECK(judge_s3_error(row.status, row.code, false).outcome == row.not_sent);
    CHECK(std::string(judge_s3_error(row.status, row.code, true).mend) != "");
  }
}

TEST_CASE("s3 error: the parts of an error document") {
  const S3Error error = parse_s3_error(
      "<?xml version=\"1.0\"?>\n  <Error>\n<Code> AccessDenied </Code><Message>User: &lt;a&gt; "
      "&amp; "
      "&#34;b&#x22;\nis not allowed</Message><RequestId>tx1-2</RequestId><Region>eu-west-1</Region>"
      "</Error>");
  CHECK(error.code == "AccessDenied");
  CHECK(error.message == "User: <a> & \"b\" is not allowed");
  CHECK(error.request_id == "tx1-2");
  CHECK(error.region == "eu-west-1");
}

TEST_CASE("s3 error: what is no error document gives nothing, and never a line break") {
  for (const char* body : {"", "<html><h1>404</h1></html>", "{\"Code\":\"x\"}", "<Code>", "<Error>",
                           "<Code></Code>", "</Code>x<Code/>", "<Error><Code><b>bold</b></Code>"}) {
    const S3Error error = parse_s3_error(body);
    CHECK(error.code == "");
    CHECK(error.message == "");
  }
  CHECK(parse_s3_error("<Code>has blanks and \"quotes\"</Code>").code == "");
  CHECK(parse_s3_error("<Code>" + std::string(65, 'a') + "</Code>").code == "");
  CHECK(parse_s3_error("<Message>" + std::string(100'000, 'm') + "</Message>").message.size() <=
        300);
  CHECK(parse_s3_error("<Code>Cut").code == "Cut");
  CHECK(parse_s3_error("<Message>a\r\nb\x1b[31m</Message>").message == "a  b [31m");
  CHECK(parse_s3_error("<Message>&#10;&#x1b;&bogus;&#99999999999;&</Message>").message ==
        "??&bogus;&#99999999999;&");
}

TEST_CASE("s3 error: random bytes are harmless") {
  auto random = test::random_source("s3 error");
  const char* pieces[] = {"<Error>", "<Code>", "</Code>", "<Message>", "&",
                          "&#",      ";",      "&lt",     "<",         "x"};
  for (int round = 0; round < 20'000; round++) {
    std::string body;
    for (uint64_t n = random() % 20; n-- > 0;) {
      if (random() % 2 == 0) {
        body += static_cast<char>(random() % 256);
      } else {
        body += pieces[random() % std::size(pieces)];
      }
    }
    const S3Error error = parse_s3_error(body);
    const std::string all = error.code + error.message + error.request_id + error.region;
    for (const char c : all) REQUIRE(static_cast<unsigned char>(c) >= 0x20);
    REQUIRE(error.code.find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
            std::string::npos);
  }
}
