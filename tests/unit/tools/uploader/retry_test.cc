#include "tools/uploader/retry.h"

#include <doctest/doctest.h>

using namespace wbshim;

TEST_CASE("the pause doubles from base to ceiling; its upper half is chance") {
  const RetryPolicy policy{100, 1000};
  struct Row {
    unsigned attempt;
    uint64_t least, most;
  };
  for (const Row& row :
       {Row{1, 50, 100}, Row{2, 100, 200}, Row{3, 200, 400}, Row{4, 400, 800}, Row{5, 500, 1000},
        Row{6, 500, 1000}, Row{100, 500, 1000}, Row{4000000000U, 500, 1000}}) {
    CAPTURE(row.attempt);
    CHECK(retry_ms(row.attempt, policy, 0) == row.least);
    CHECK(retry_ms(row.attempt, policy, 1) == row.most);
    uint64_t middle = retry_ms(row.attempt, policy, 0.5);
    CHECK((middle > row.least && middle < row.most));
  }
}

TEST_CASE("odd inputs stay within bounds") {
  CHECK(retry_ms(0, {100, 1000}, 0) == 50);
  CHECK(retry_ms(1, {100, 1000}, -3) == 50);
  CHECK(retry_ms(1, {100, 1000}, 7) == 100);
  CHECK(retry_ms(9, {0, 0}, 0.5) == 0);
  CHECK(retry_ms(1, {5000, 1000}, 1) == 1000);
}

TEST_CASE("the daemon's source stays between 0 and 1") {
  Random random = system_random();
  for (int i = 0; i < 1000; i++) {
    double value = random();
    CHECK((value >= 0 && value < 1));
  }
}
