#include <doctest/doctest.h>

#include <string>

#include "core/base/redis_link.h"

using namespace wbshim;

TEST_CASE("redis address: the forms of WBSHIM_REDIS_URL") {
  RedisAddress a;
  CHECK(a.parse("unix:///run/r.sock?db=3") == nullptr);
  CHECK(a.kind == RedisAddress::Kind::Unix);
  CHECK(std::string(a.path_or_host) == "/run/r.sock");
  CHECK(a.db == 3);
  CHECK(a.parse("redis://host:7000/2") == nullptr);
  CHECK(a.kind == RedisAddress::Kind::Tcp);
  CHECK(std::string(a.path_or_host) == "host");
  CHECK(a.port == 7000);
  CHECK(a.db == 2);
  CHECK(a.parse("redis://u:p%40ss@[::1]:6380") == nullptr);
  CHECK(std::string(a.user) == "u");
  CHECK(std::string(a.password) == "p@ss");
  CHECK(std::string(a.path_or_host) == "::1");
  CHECK(a.parse("redis://:secret@127.0.0.1") == nullptr);
  CHECK(std::string(a.user).empty());
  CHECK(std::string(a.password) == "secret");
  CHECK(a.port == 6379);
}

TEST_CASE("redis address: mistakes are named, and never with the password") {
  for (const char* bad :
       {"", "http://x", "unix://relative", "redis://", "redis://h:0", "redis://h:99999",
        "redis://h/x", "redis://u:topsecret@", "rediss://h", "unix:///a?db=x", "redis://u:%zz@h"}) {
    RedisAddress a;
    const char* wrong = a.parse(bad);
    CAPTURE(bad);
    REQUIRE(wrong != nullptr);
    CHECK(std::string(wrong).find("topsecret") == std::string::npos);
    CHECK(a.kind == RedisAddress::Kind::None);
  }
}
