#include "core/base/text.h"

#include <doctest/doctest.h>

#include <string>

using wbshim::Bytes;
using wbshim::Text;

namespace {

std::string json(const std::string& raw) {
  char room[256];
  Text text(room);
  text.json(Bytes(raw.data(), raw.size()));
  REQUIRE(text.ok());
  return {text.c_str(), text.size()};
}

}  // namespace

TEST_CASE("text: never writes past its room, and says so") {
  char room[8];
  memset(room, '#', sizeof room);
  Text text(room, 6);
  text.add("abcde");
  CHECK(text.ok());
  CHECK(std::string(text.c_str()) == "abcde");
  text.add('f');
  CHECK_FALSE(text.ok());
  CHECK(std::string(text.c_str()) == "abcde");
  CHECK(room[6] == '#');
  text.truncate(2);
  CHECK(std::string(text.c_str()) == "ab");
}

TEST_CASE("text: numbers at their limits") {
  char room[96];
  Text text(room);
  text.number(INT64_MIN)
      .add(' ')
      .number(INT64_MAX)
      .add(' ')
      .unsigned_number(UINT64_MAX)
      .add(' ')
      .hex(0xbeef, 6);
  CHECK(std::string(text.c_str()) ==
        "-9223372036854775808 9223372036854775807 18446744073709551615 00beef");
}

TEST_CASE("text: json escapes what JSON cannot hold") {
  CHECK(json("plain") == "plain");
  CHECK(json("q\" b\\ n\n") == "q\\\" b\\\\ n\\u000a");
  CHECK(json("\x7f") == "\\u007f");
  CHECK(json("h\xc3\xa9") == "h\xc3\xa9");
  CHECK(json("\xf0\x9f\x98\x80") == "\xf0\x9f\x98\x80");
}

TEST_CASE("text: bytes that are no UTF-8 become lone surrogates, one a byte") {
  CHECK(json("a\xff"
             "b") == "a\\udcffb");
  CHECK(json("\xc3") == "\\udcc3");
  CHECK(json("\xc0\x80") == "\\udcc0\\udc80");                        // overlong
  CHECK(json("\xed\xa0\x80") == "\\udced\\udca0\\udc80");             // a surrogate in UTF-8
  CHECK(json("\xf4\x90\x80\x80") == "\\udcf4\\udc90\\udc80\\udc80");  // above U+10FFFF
}
