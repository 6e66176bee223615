#include "tools/ctl/flush_answer.h"

#include <doctest/doctest.h>

using namespace wbshim::ctl;

TEST_CASE("progress, what is left, and the end") {
  FlushAnswer answer;
  answer.take("P 1 10 100 1000");
  CHECK(answer.amount().entries == 1);
  CHECK(answer.amount().entries_total == 10);
  CHECK(answer.amount().bytes == 100);
  CHECK(answer.amount().bytes_total == 1000);
  CHECK_FALSE(answer.complete());
  answer.take("LEFT open for writing \"a\\n\\udc80 \\\"q\\\"\"");
  answer.take("LEFT AccessDenied: no \"b\"");
  REQUIRE(answer.left().size() == 2);
  CHECK(answer.left()[0].reason == "open for writing");
  CHECK(answer.left()[0].path == "a\n\x80 \"q\"");
  CHECK(answer.left()[1].reason == "AccessDenied: no");
  answer.take("ERR EIO 2 files were left");
  CHECK(answer.complete());
  CHECK_FALSE(answer.ok());
  CHECK_FALSE(answer.timed_out());
  CHECK(answer.message() == "2 files were left");
}

TEST_CASE("the two good and the late end") {
  for (const char* line : {"OK", "OK 3"}) {
    FlushAnswer answer;
    answer.take(line);
    CHECK(answer.ok());
  }
  FlushAnswer late;
  late.take("ERR ETIMEDOUT time is up");
  CHECK(late.timed_out());
}

TEST_CASE("what is not understood is passed over") {
  FlushAnswer answer;
  for (const char* line :
       {"", "P", "P 1 2", "P a b c d", "LEFT", "LEFT nothing", "OKAY", "NEW words"})
    answer.take(line);
  CHECK_FALSE(answer.complete());
  CHECK(answer.left().empty());
  CHECK(answer.amount().entries_total == 0);
  answer.take("ERR ");
  CHECK(answer.complete());
  CHECK_FALSE(answer.ok());
}
