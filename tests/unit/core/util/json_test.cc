#include "core/util/json.h"

#include <doctest/doctest.h>

using namespace wbshim;

TEST_CASE("parse: numbers keep their digits beyond 2^53") {
  auto json =
      Json::parse(R"({"gen":1795450182119231,"big":18446744073709551615,"low":-5,"real":1.5})");
  REQUIRE(json);
  CHECK(json->number_of("gen") == 1795450182119231ULL);
  CHECK(json->number_of("big") == UINT64_MAX);
  CHECK(json->number_of("low", 7) == 7);
  CHECK(json->find("low")->integer() == -5);
  CHECK(json->number_of("real", 7) == 7);
  CHECK(json->find("real")->real() == 1.5);
  CHECK(json->dump() ==
        R"({"gen":1795450182119231,"big":18446744073709551615,"low":-5,"real":1.5})");
}

TEST_CASE("what is written is written the same again, zeros below nothing too") {
  for (const char* text : {"[-0e0]", "-0.0", "-0", "1e20", "1.5", "-1e-7", "12345678901234567.0"}) {
    CAPTURE(text);
    const auto json = Json::parse(text);
    REQUIRE(json);
    CHECK(Json::parse(json->dump())->dump() == json->dump());
  }
  CHECK(Json::parse("-0.0")->dump() == "0");
}

TEST_CASE("a lone \\udc80..\\udcff is a byte, both ways") {
  auto json = Json::parse(R"({"target":"a\udcffb\udc80"})");
  REQUIRE(json);
  CHECK(json->text_of("target") ==
        "a\xff"
        "b\x80");
  CHECK(json->dump() == R"({"target":"a\udcffb\udc80"})");
}

TEST_CASE(
    "proper pairs, escaped backslashes and the noncharacter that marks bytes stay what they are") {
  CHECK(Json::parse(R"("\ud83d\ude00")")->text() == "\xf0\x9f\x98\x80");
  CHECK(Json::parse(R"("\\udc80")")->text() == "\\udc80");
  CHECK(Json::parse("\"\xf4\x8f\xbf\xbf"
                    "80\"")
            ->text() ==
        "\xf4\x8f\xbf\xbf"
        "80");
  CHECK(Json::parse(R"("\udbff\udfff80")")->text() ==
        "\xf4\x8f\xbf\xbf"
        "80");
  CHECK(Json::parse("\"\xf4\x8f\xbf\xbf\\udc80\"")->text() == "\xf4\x8f\xbf\xbf\x80");
}

TEST_CASE("hostile texts give nothing") {
  for (const char* text :
       {"", "{", "{\"a\":", "nul", "[1,]", "{\"a\":1}x", "\"\\ud800\"", "\"\\udc7f\"", "\"\xff\"",
        "\"a\nb\"", "1e999", "{\"a\" 1}", "\\", "\"\\u12", "[\"\\udc8"}) {
    CAPTURE(text);
    auto json = Json::parse(text);
    CHECK((!json || json->real() > 1e300));
  }
  CHECK_FALSE(Json::parse(std::string(1000000, '[')));
  CHECK_FALSE(Json::parse(std::string(70, '[') + std::string(70, ']')));
  CHECK(Json::parse(std::string(60, '[') + std::string(60, ']')));
  CHECK(Json::parse(std::string("\"a\\u0000b\""))->text() == std::string("a\0b", 3));
}

TEST_CASE("of equal names the last one counts; a missing one gives the default") {
  auto json = Json::parse(R"({"a":1,"a":2,"t":"x","l":[1,"2",null,true]})");
  REQUIRE(json);
  CHECK(json->number_of("a") == 2);
  CHECK(json->number_of("none", 9) == 9);
  CHECK(json->text_of("a", "other") == "other");
  CHECK(json->find("l")->items().size() == 4);
  CHECK(json->find("l")->items()[3].truth());
  CHECK(json->items().empty());
}

TEST_CASE("json_quote: one line, quotes and control characters escaped") {
  CHECK(json_quote("a\"b\\c\n") == "\"a\\\"b\\\\c\\u000a\"");
  CHECK(Json::parse(json_quote(std::string("\x01\x7f\xc3\xa4\xff\0z", 7)))->text() ==
        std::string("\x01\x7f\xc3\xa4\xff\0z", 7));
}
