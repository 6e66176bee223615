#include "core/store/sigv4.h"

#include <doctest/doctest.h>

#include "core/store/crypto.h"

using namespace wbshim;
using namespace wbshim::sigv4;

namespace {

// The examples of the S3 documentation ("Signature Calculations for the Authorization Header").
constexpr char kId[] = "AKIAIOSFODNN7EXAMPLE";
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr char kDate[] = "20130524T000000Z";
constexpr uint64_t kTime_ms = 1369353600'000;
constexpr char kHost[] = "examplebucket.s3.amazonaws.com";
constexpr char kEmpty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string signature_of(const Request& request) {
  const std::string text = canonical_request(request).text;
  const std::string key = signing_key(kSecret, "20130524", "us-east-1");
  return to_hex(hmac_sha256(key, string_to_sign(kDate, "us-east-1", text)));
}

// What sign() put last.
std::string signed_by_signer(Request request) {
  Signer signer({kId, kSecret, ""}, "us-east-1");
  signer.sign(request, kTime_ms);
  const std::string& authorization = request.headers.back().second;
  return authorization.substr(authorization.rfind('=') + 1);
}

Request get(const std::string& path, std::vector<Pair> query = {}) {
  return {"GET", path, std::move(query), {{"Host", kHost}}, kEmpty};
}

}  // namespace

TEST_CASE("sigv4: the six examples of the S3 documentation") {
  Request range = get("/test.txt");
  range.headers.emplace_back("Range", "bytes=0-9");
  CHECK(signed_by_signer(range) ==
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

  Request put{"PUT",
              encode_path("/test$file.text"),
              {},
              {{"Host", kHost},
               {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
               {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
              sha256_hex("Welcome to Amazon S3.")};
  CHECK(signed_by_signer(put) ==
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

  CHECK(signed_by_signer(get("/", {{"lifecycle", ""}})) ==
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  CHECK(signed_by_signer(get("/", {{"prefix", "J"}, {"max-keys", "2"}})) ==
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");

  Request presigned =
      get("/test.txt", {{"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
                        {"X-Amz-Credential", std::string(kId) + "/" + scope(kDate, "us-east-1")},
                        {"X-Amz-Date", kDate},
                        {"X-Amz-Expires", "86400"},
                        {"X-Amz-SignedHeaders", "host"}});
  presigned.payload_hash = "UNSIGNED-PAYLOAD";
  CHECK(signature_of(presigned) ==
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");

  Request chunked{"PUT",
                  "/examplebucket/chunkObject.txt",
                  {},
                  {{"Host", "s3.amazonaws.com"},
                   {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                   {"Content-Encoding", "aws-chunked"},
                   {"x-amz-decoded-content-length", "66560"},
                   {"Content-Length", "66824"}},
                  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"};
  CHECK(signed_by_signer(chunked) ==
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
}

TEST_CASE("sigv4: encoding, byte by byte") {
  const std::string plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (int i = 0; i < 256; i++) {
    const std::string byte(1, static_cast<char>(i));
    char hex[4];
    (void)snprintf(hex, sizeof hex, "%%%02X", i);
    const bool unreserved = plain.find(byte) != std::string::npos;
    CHECK(encode_component(byte) == (unreserved ? byte : hex));
    CHECK(encode_path(byte) == (unreserved || i == '/' ? byte : hex));
  }
}

TEST_CASE("sigv4: a path is encoded once and never normalised") {
  const std::pair<const char*, const char*> rows[] = {{"a+b", "a%2Bb"},
                                                      {"a%2Bb", "a%252Bb"},
                                                      {"a b", "a%20b"},
                                                      {"a//b", "a//b"},
                                                      {"/lead", "/lead"},
                                                      {"a/./b/../c", "a/./b/../c"},
                                                      {"~x", "~x"},
                                                      {"..", ".."},
                                                      {"\xC3\xA9", "%C3%A9"},
                                                      {"\x01\x7f", "%01%7F"},
                                                      {"'()*!", "%27%28%29%2A%21"}};
  for (const auto& [key, encoded] : rows) CHECK(encode_path(key) == encoded);
}

TEST_CASE("sigv4: the query is sorted by encoded name, then value") {
  CHECK(canonical_query({}).empty());
  CHECK(canonical_query({{"uploads", ""}}) == "uploads=");
  CHECK(canonical_query({{"b", "2"}, {"a", "z"}, {"a", "b"}, {"A", "1"}}) == "A=1&a=b&a=z&b=2");
  CHECK(canonical_query({{"token", "a+b/="}, {"prefix", "x y"}}) ==
        "prefix=x%20y&token=a%2Bb%2F%3D");
  // '-' (2D) sorts before '=' (3D) in names: "a" must still come before "a-b".
  CHECK(canonical_query({{"a-b", "1"}, {"a", "2"}}) == "a=2&a-b=1");
}

TEST_CASE("sigv4: headers are trimmed, collapsed, joined and sorted by name alone") {
  CHECK(trim_header("  a   b\t c ") == "a b c");
  CHECK(trim_header("   ").empty());
  Request request = get("/");
  request.headers = {{"Host", "h"},
                     {"X-Amz-Meta-A-B", " 1  2 "},
                     {"x-amz-meta-a", "second"},
                     {"X-AMZ-META-A", " first "},
                     {"User-Agent", "changes"},
                     {"Expect", "100-continue"}};
  const Canonical canonical = canonical_request(request);
  CHECK(canonical.signed_headers == "host;x-amz-meta-a;x-amz-meta-a-b");
  CHECK(canonical.text ==
        "GET\n/\n\nhost:h\nx-amz-meta-a:second,first\nx-amz-meta-a-b:1 2\n\n"
        "host;x-amz-meta-a;x-amz-meta-a-b\n" +
            std::string(kEmpty));
}

TEST_CASE("sigv4: what is sent is what was signed") {
  Request request = get("/k");
  request.headers.emplace_back("x-amz-meta-note", "  two   blanks ");
  Signer signer({kId, kSecret, "the/token=="}, "eu-central-1");
  signer.sign(request, kTime_ms + 999);
  const auto value = [&](const std::string& name) {
    for (const auto& [each, text] : request.headers) {
      if (each == name) return text;
    }
    return std::string("missing");
  };
  CHECK(value("x-amz-meta-note") == "two blanks");
  CHECK(value("x-amz-date") == kDate);
  CHECK(value("x-amz-content-sha256") == kEmpty);
  CHECK(value("x-amz-security-token") == "the/token==");
  const std::string authorization = value("authorization");
  CHECK(authorization.find("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/eu-central-1/"
                           "s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;"
                           "x-amz-meta-note;x-amz-security-token, Signature=") == 0);
  CHECK(authorization.find(kSecret) == std::string::npos);
}

TEST_CASE("sigv4: the cached key follows the day, both ways") {
  Signer reused({kId, kSecret, ""}, "us-east-1");
  const uint64_t day_ms = 86'400'000;
  for (const uint64_t time_ms : {kTime_ms, kTime_ms + day_ms, kTime_ms + day_ms, kTime_ms}) {
    Request a = get("/k");
    Request b = get("/k");
    reused.sign(a, time_ms);
    Signer({kId, kSecret, ""}, "us-east-1").sign(b, time_ms);
    CHECK(a.headers == b.headers);
  }
}

TEST_CASE("sigv4: dates") {
  CHECK(amz_date(0) == "19700101T000000Z");
  CHECK(amz_date(kTime_ms) == kDate);
  CHECK(amz_date(1709164799'999) == "20240228T235959Z");
  CHECK(amz_date(1709164800'000) == "20240229T000000Z");
}

TEST_CASE("sigv4: another service, and keys that are none") {
  CHECK(sigv4::scope("20130524T000000Z", "us-east-1", "sts") ==
        "20130524/us-east-1/sts/aws4_request");
  // AWS' published example of a derived key.
  CHECK(to_hex(sigv4::signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830",
                                  "us-east-1", "iam")) ==
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
  sigv4::Request request{"PUT", "/k", {}, {{"host", "h"}, {"x-a", " b "}}, "hash"};
  sigv4::Signer({}, "us-east-1").sign(request, 0);
  CHECK(request.headers == std::vector<sigv4::Pair>{{"host", "h"}, {"x-a", "b"}});
}
