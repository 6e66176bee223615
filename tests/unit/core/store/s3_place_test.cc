#include "core/store/s3_place.h"

#include <doctest/doctest.h>

using namespace wbshim;

namespace {

S3Place place(const std::string& url, const std::string& endpoint,
              const std::string& addressing = "auto", const std::string& region = "us-east-1") {
  auto made = make_s3_place(url, endpoint, region, addressing);
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.message()));
  return made.value();
}

std::string url_of(const S3Place& at, const std::string& key) {
  return at.url_of(at.path_of(at.object_key(key)));
}

std::string error_of(const std::string& url, const std::string& endpoint = "",
                     const std::string& addressing = "auto") {
  auto made = make_s3_place(url, endpoint, "us-east-1", addressing);
  return made.ok() ? "no error" : made.message();
}

}  // namespace

TEST_CASE("s3 place: AWS") {
  const S3Place aws = place("s3://my-bucket/some/prefix/", "");
  CHECK(url_of(aws, "a b") == "https://my-bucket.s3.us-east-1.amazonaws.com/some/prefix/a%20b");
  CHECK(aws.host == "my-bucket.s3.us-east-1.amazonaws.com");
  CHECK_FALSE(aws.loopback);
  const S3Place dots = place("s3://my.bucket", "");  // no certificate covers my.bucket.s3…
  CHECK(url_of(dots, "k") == "https://s3.us-east-1.amazonaws.com/my.bucket/k");
  CHECK(place("s3://b-b", "", "auto", "cn-north-1").host == "b-b.s3.cn-north-1.amazonaws.com.cn");
  CHECK(place("s3://b-b", "", "path").origin == "https://s3.us-east-1.amazonaws.com");
}

TEST_CASE("s3 place: endpoints of one's own") {
  struct Row {
    const char* endpoint;
    const char* host;
    const char* url;
  };
  const Row rows[] = {
      {"http://127.0.0.1:9000", "127.0.0.1:9000", "http://127.0.0.1:9000/bkt/p/k"},
      {"http://127.0.0.1:9000/", "127.0.0.1:9000", "http://127.0.0.1:9000/bkt/p/k"},
      {"HTTP://Example.COM:80", "example.com", "http://example.com/bkt/p/k"},
      {"https://example.com:443/", "example.com", "https://example.com/bkt/p/k"},
      {"https://example.com:80", "example.com:80", "https://example.com:80/bkt/p/k"},
      {"http://[::1]:9000", "[::1]:9000", "http://[::1]:9000/bkt/p/k"},
      {"http://[::1]", "[::1]", "http://[::1]/bkt/p/k"},
      {"https://gate/way/s3/", "gate", "https://gate/way/s3/bkt/p/k"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.endpoint);
    const S3Place at = place("s3://bkt/p", row.endpoint);
    CHECK(at.host == row.host);
    CHECK(url_of(at, "k") == row.url);
    CHECK(at.path_style);
  }
  const S3Place host = place("s3://bkt/p", "http://s3.localhost:9000", "virtual");
  CHECK(url_of(host, "k") == "http://bkt.s3.localhost:9000/p/k");
  CHECK(host.host == "bkt.s3.localhost:9000");
  CHECK(host.loopback);
}

TEST_CASE("s3 place: keys") {
  const S3Place bare = place("s3://bkt", "http://h");
  CHECK(bare.object_key("a/b") == "a/b");
  CHECK(url_of(bare, "a+b/../c d") == "http://h/bkt/a%2Bb/../c%20d");
  const S3Place prefixed = place("s3://bkt/p%q//", "http://h");
  CHECK(prefixed.object_key("\xFF") == "p%q/%FF");  // only names are escaped
  CHECK(url_of(prefixed, "\xFF") == "http://h/bkt/p%25q/%25FF");
}

TEST_CASE("s3 place: what is refused says how to mend it") {
  CHECK(error_of("s3://").find("s3://bucket/prefix") != std::string::npos);
  CHECK(error_of("s3:///prefix").find("s3://bucket/prefix") != std::string::npos);
  CHECK(error_of("s3://b?d/x").find("s3://bucket/prefix") != std::string::npos);
  CHECK(error_of("s3://bkt/\xFF").find("UTF-8") != std::string::npos);
  for (const char* endpoint :
       {"127.0.0.1:9000", "ftp://host", "http://", "http://:80", "http://h:port", "http://h:123456",
        "http://h/?x", "http://ho st", "http://h\n"}) {
    CAPTURE(endpoint);
    CHECK(error_of("s3://bkt", endpoint).find("AWS_ENDPOINT_URL_S3") != std::string::npos);
  }
  const std::string secret = error_of("s3://bkt", "http://user:hidden@host");
  CHECK(secret.find("AWS_ENDPOINT_URL_S3") != std::string::npos);
  CHECK(secret.find("hidden") == std::string::npos);
  CHECK(error_of("s3://bkt", "", "dns").find("WBSHIM_S3_ADDRESSING") != std::string::npos);
}

TEST_CASE("s3 place: an endpoint's path cannot hold a line of its own") {
  for (const char* path : {"/a\r\nX: y", "/a\nb", "/a b", "/\x7f", "/\xff", "/a\x01"}) {
    CAPTURE(path);
    CHECK_FALSE(make_s3_place("s3://bucket", std::string("http://h") + path, "r", "auto").ok());
  }
  CHECK_FALSE(make_s3_place("s3://bucket", std::string("http://h/a\0b", 12), "r", "auto").ok());
  CHECK(make_s3_place("s3://bucket", "http://h/a-b_c/~d", "r", "auto").ok());
}

TEST_CASE("s3 place: AWS's dual-stack and FIPS endpoints") {
  const auto host = [](const AwsEndpoint& variant, const std::string& region = "us-west-2") {
    return make_s3_place("s3://b-b", "", region, "auto", variant).value().host;
  };
  CHECK(host({}) == "b-b.s3.us-west-2.amazonaws.com");
  CHECK(host({true, false}) == "b-b.s3.dualstack.us-west-2.amazonaws.com");
  CHECK(host({false, true}) == "b-b.s3-fips.us-west-2.amazonaws.com");
  CHECK(host({true, true}) == "b-b.s3-fips.dualstack.us-west-2.amazonaws.com");
  CHECK(host({true, false}, "cn-north-1") == "b-b.s3.dualstack.cn-north-1.amazonaws.com.cn");
  const auto own = make_s3_place("s3://b-b", "http://h", "r", "auto", {false, true});
  CHECK_FALSE(own.ok());
  CHECK(own.message().find("AWS_USE_FIPS_ENDPOINT") != std::string::npos);
  CHECK(make_s3_place("s3://b-b", "http://h", "r", "auto", {true, false}).value().host == "h");
}

TEST_CASE("s3 place: another region is another host at AWS, and nowhere else") {
  struct Row {
    const char* endpoint;
    const char* host;
  };
  const Row rows[] = {
      {"", "b-b.s3.eu-west-1.amazonaws.com"},
      {"https://s3.us-east-1.amazonaws.com", "b-b.s3.eu-west-1.amazonaws.com"},
      {"https://s3.amazonaws.com:8443", "b-b.s3.eu-west-1.amazonaws.com:8443"},
      {"https://s3.dualstack.us-east-1.amazonaws.com", "b-b.s3.dualstack.eu-west-1.amazonaws.com"},
      {"https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com",
       "b-b.bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com"},
      {"http://s3.us-east-1.example.com", "b-b.s3.us-east-1.example.com"},
      {"http://h:9", "b-b.h:9"}};
  for (const Row& row : rows) {
    CAPTURE(row.endpoint);
    S3Place at = place("s3://b-b", row.endpoint, "virtual");
    move_to_region(at, "us-east-1", "eu-west-1");
    CHECK(at.host == row.host);
    CHECK(at.origin.substr(at.origin.find("//") + 2) == row.host);
  }
  for (const char* name : {"us-east-1", "default", "r"}) CHECK(is_region_name(name));
  for (const char* name : {"", "-", "a.b", "a/b", "A", "a b", "a-", "a\n"})
    CHECK_FALSE(is_region_name(name));
}
