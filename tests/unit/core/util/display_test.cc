#include "core/util/display.h"

#include <doctest/doctest.h>

using namespace wbshim;

TEST_CASE("printable: one line, whatever was in it") {
  CHECK(printable("plain ümläut") == "plain ümläut");
  CHECK(printable("a\nb\tc\rd\x1b[31m\x7f") == "a\\nb\\tc\\rd\\x1b[31m\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("a\xff\xc3"
                  "b\xc3\xa4") ==
        "a\\xff\\xc3"
        "b\xc3\xa4");
  CHECK(printable("\xc2\x9b"
                  "31m \xc2\xa0") ==
        "\\xc2\\x9b"
        "31m \xc2\xa0");
  CHECK(printable("\xe2\x82\xac\xf0\x9f\x98\x80") == "\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(printable("\xed\xa0\x80\xc0\xaf\xe2\x82") == "\\xed\\xa0\\x80\\xc0\\xaf\\xe2\\x82");
}

TEST_CASE("hide_secrets: errs on the side of hiding") {
  CHECK(hide_secrets("redis://u:p@h:1/0") == "redis://u:***@h:1/0");
  CHECK(hide_secrets("redis://:p@h") == "redis://:***@h");
  CHECK(hide_secrets("redis://p@h") == "redis://***@h");
  CHECK(hide_secrets("redis://u:p/a@s@h") == "redis://u:***@h");
  CHECK(hide_secrets("redis://h:1/0") == "redis://h:1/0");
  CHECK(hide_secrets("s3://bucket/a") == "s3://bucket/a");
  CHECK(hide_secrets("s3://bucket/a@b") == "s3://bucket/a@b");
  CHECK(hide_secrets("") == "");
  CHECK(hide_secrets("@") == "@");
}

TEST_CASE("nearest: a slip of the pen is found, nonsense is not") {
  const std::vector<std::string> names = {"start", "stop", "status"};
  CHECK(nearest("sart", names) == "start");
  CHECK(nearest("statsu", names) == "status");
  CHECK(nearest("elephant", names) == "");
  CHECK(nearest("x", {}) == "");
}

TEST_CASE("shell_quote: bare when harmless") {
  CHECK(shell_quote("/a/b-c_1.so:x") == "/a/b-c_1.so:x");
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("a b") == "'a b'");
  CHECK(shell_quote("it's $x") == "'it'\\''s $x'");
  CHECK(shell_quote("~") == "'~'");
}

TEST_CASE("sizes and durations for people") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(1048575) == "1.0 MiB");
  CHECK(human_bytes(UINT64_C(5) << 30) == "5.0 GiB");
  CHECK(human_duration(850) == "850 ms");
  CHECK(human_duration(9900) == "9.9 s");
  CHECK(human_duration(59000) == "59 s");
  CHECK(human_duration(125000) == "2 min 5 s");
  CHECK(human_duration(7500000) == "2 h 5 min");
  CHECK(human_duration(UINT64_C(86400000) * 3) == "3 d 0 h");
}

TEST_CASE("display: a password behind the question mark is hidden, other words are not") {
  CHECK(hide_secrets("redis://h/0?password=x&db=1") == "redis://h/0?password=***&db=1");
  CHECK(hide_secrets("unix:///a/pass=b?db=3") == "unix:///a/pass=b?db=3");
  CHECK(hide_secrets("http://h?token=") == "http://h?token=***");
  CHECK(hide_secrets("redis://:a@h?auth_key=b") == "redis://:***@h?auth_key=***");
}

TEST_CASE("display: logins in a sentence") {
  CHECK(hide_logins("Unsupported proxy scheme for 'odd://u:secret@host:1'") ==
        "Unsupported proxy scheme for 'odd://***@host:1'");
  CHECK(hide_logins("bad syntax in u:p@ss@host") == "bad syntax in ***@host");
  CHECK(hide_logins("no login here: http://host/a?b") == "no login here: http://host/a?b");
  CHECK(hide_logins("") == "");
  CHECK(hide_logins(" two  blanks ") == " two  blanks ");
}
