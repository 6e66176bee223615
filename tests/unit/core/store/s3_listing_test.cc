#include "core/store/s3_listing.h"

#include <doctest/doctest.h>

#include "tests/unit/core/store/seed.h"

using namespace wbshim;

namespace {

std::string document(const std::string& inside) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         inside + "</ListBucketResult>";
}

std::string contents(const std::string& key) {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
         "<Size>12</Size><Owner><ID>i</ID><DisplayName>Key</DisplayName></Owner></Contents>";
}

std::string only_key(const std::string& inside) {
  const auto found = parse_s3_listing(document(inside));
  REQUIRE(found.has_value());
  REQUIRE(found->objects.size() == 1);
  return found->objects[0].key;
}

}  // namespace

TEST_CASE("s3 listing: objects, prefixes, next page") {
  const auto found = parse_s3_listing(
      document("<Name>b</Name><Prefix>pre/</Prefix><Delimiter>/</Delimiter><MaxKeys>1000</MaxKeys>"
               "<IsTruncated>true</IsTruncated>" +
               contents("pre/a") + contents("pre/b") +
               "<CommonPrefixes><Prefix>pre/d/</Prefix></CommonPrefixes>"
               "<NextContinuationToken>1&amp;2+%41</NextContinuationToken><KeyCount>3</KeyCount>"));
  REQUIRE(found.has_value());
  REQUIRE(found->objects.size() == 2);
  CHECK(found->objects[1].key == "pre/b");
  CHECK(found->objects[1].etag == "e");
  CHECK(found->objects[1].size == 12);
  CHECK(found->prefixes == std::vector<std::string>{"pre/d/"});
  CHECK(found->truncated);
  CHECK(found->token == "1&2+%41");  // never decoded: it goes back as it came
}

TEST_CASE("s3 listing: names are decoded only when the server says that they are encoded") {
  const std::string url = "<EncodingType>url</EncodingType>";
  CHECK(only_key(contents("a%2Fb+c%20d%2B") + url) == "a/b c d+");  // wherever that stands
  CHECK(only_key(url + contents("%E6%97%A5%25")) == "\u65e5%");
  CHECK(only_key(url + contents("%zz%4")) == "%zz%4");
  CHECK(only_key(contents("a%2Fb+c")) == "a%2Fb+c");
  CHECK(only_key(contents("a&amp;b&lt;&#10;&#x65E5;&quot;")) == "a&b<\n\u65e5\"");
  CHECK(only_key(contents("&bogus;&#xD800;&#0;&")) == "&bogus;&#xD800;&#0;&");
}

TEST_CASE("s3 listing: empty, and empty elements") {
  const auto found =
      parse_s3_listing(document("<Prefix/><IsTruncated>false</IsTruncated><!-- <Contents> -->"));
  REQUIRE(found.has_value());
  CHECK(found->objects.empty());
  CHECK_FALSE(found->truncated);
}

TEST_CASE("s3 listing: what is none, and what was cut short") {
  for (const char* text : {"", "<html><body>hello</body></html>", "<Error><Code>X</Code></Error>",
                           "<ListBucketResult>", "</ListBucketResult>", "<", "<a", "<></>", "<!--",
                           "<ListBucketResult><Contents></ListBucketResult>"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_s3_listing(text).has_value());
  }
  const std::string whole = document(contents("k") + contents("l"));
  for (size_t size = 0; size < whole.size(); size++) {
    CHECK_FALSE(parse_s3_listing(std::string_view(whole).substr(0, size)).has_value());
  }
  CHECK(parse_s3_listing(whole).has_value());
}

TEST_CASE("s3 listing: damaged text is survived") {
  std::mt19937_64 random = test::random_source("s3 listing");
  const std::string whole = document(contents("a%41&amp;") + contents("b"));
  for (int turn = 0; turn < 20'000; turn++) {
    std::string text = whole;
    for (int i = 0; i < 4; i++) text[random() % text.size()] = "<>/&;%!-x\0"[random() % 10];
    (void)parse_s3_listing(text);
  }
}
