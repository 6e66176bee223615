#include "core/util/secrecy.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace wbshim;

namespace {

// Words as the kernel lays them out: one block.
struct Words {
  explicit Words(std::vector<std::string> list) : texts(std::move(list)) {
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }
  std::vector<std::string> texts;
  std::vector<char*> pointers;
};

}  // namespace

TEST_CASE("secrecy: which variables") {
  for (const char* name : {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"})
    CHECK(is_secret_variable(name, "x"));
  CHECK(is_secret_variable("https_proxy", "http://u:p@h"));
  CHECK(is_secret_variable("WBSHIM_REDIS_URL", "redis://:p@h"));
  CHECK_FALSE(is_secret_variable("WBSHIM_REDIS_URL", "redis://h"));
  CHECK_FALSE(is_secret_variable("PATH", "/usr/bin"));
}

TEST_CASE("secrecy: variables leave the block and are found all the same") {
  Words words({"A=b", "AWS_SECRET_ACCESS_KEY=sesame", "no variable", "EMPTY="});
  char** before = environ;
  environ = words.pointers.data();
  hide_environment();
  const std::string secret = getenv("AWS_SECRET_ACCESS_KEY"), other = getenv("A");
  char* moved = environ[1];
  environ = before;
  CHECK(secret == "sesame");
  CHECK(other == "b");
  CHECK(words.texts[1] == "AWS_SECRET_ACCESS_KEY=******");
  CHECK(words.texts[0] == "A=b");
  free(moved);
}

TEST_CASE("secrecy: arguments that hold a password") {
  Words words({"program", "--redis-url=redis://:sesame@h", "--store-url", "s3://k:sesame@b",
               "--redis-url", "redis://h/1", "--", "--redis-url=redis://:sesame@h"});
  hide_arguments(8, words.pointers.data());
  CHECK(words.texts[1] == "--redis-url=redis://*********");
  CHECK(words.texts[3] == "s3://**********");
  CHECK(words.texts[5] == "redis://h/1");
  CHECK(words.texts[7] == "--redis-url=redis://:sesame@h");
}
