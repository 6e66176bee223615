#include "core/volume/redis_refusal.h"

#include <doctest/doctest.h>

#include <string>

using namespace wbshim;

TEST_CASE("redis refusal: errors of everybody have a mend, a command's own have none") {
  for (const char* text :
       {"OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.", "NOAUTH Authentication required.",
        "LOADING Redis is loading the dataset in memory",
        "MISCONF Redis is configured to save RDB snapshots", "ERR max number of clients reached"}) {
    CAPTURE(text);
    CHECK(redis_mend(text) != nullptr);
  }
  // Redis 6: the error of a command in a script.
  CHECK(redis_mend("ERR Error running script (call to f_1): @user_script:3: -OOM command") !=
        nullptr);
  for (const char* text : {"", "ERR unknown command", "WRONGTYPE Operation against a key",
                           "ERR value is not: -an integer"}) {
    CAPTURE(text);
    CHECK(redis_mend(text) == nullptr);
  }
  CHECK(std::string(redis_mend("OOM x")).find("maxmemory") != std::string::npos);
}
