#include "shim/paths.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

using namespace wbshim;
using paths::Place;

namespace {

const paths::Roots kRoots{Bytes("/data/wb"), Bytes("/home/u/.cache/wbshim/v/tree")};

std::string cleaned(const char* base, const std::string& path) {
  char room[4096];
  Text text(room);
  REQUIRE(paths::clean(base, path.c_str(), &text));
  return text.c_str();
}

}  // namespace

TEST_CASE("paths: the prefix ends at a component") {
  CHECK(paths::place(kRoots, "/data/wb") == Place::Inside);
  CHECK(paths::place(kRoots, "/data/wb/") == Place::Inside);
  CHECK(paths::place(kRoots, "/data/wb/a") == Place::Inside);
  CHECK(paths::place(kRoots, "/data/wbx") == Place::Outside);
  CHECK(paths::place(kRoots, "/data/w") == Place::Outside);
  CHECK(paths::place(kRoots, "/etc/passwd") == Place::Outside);
  CHECK(paths::place(kRoots, "/data//wb") == Place::Tangled);
  CHECK(paths::place(kRoots, "/data/./wb/a") == Place::Tangled);
  CHECK(paths::place(kRoots, "/x/../data/wb") == Place::Tangled);
  CHECK(paths::place(kRoots, "/data/wb/a/..") == Place::Tangled);
  CHECK(paths::place(kRoots, "/data/wb/...") == Place::Inside);
  CHECK(paths::place(kRoots, "/data/wb/.hidden") == Place::Inside);
}

TEST_CASE("paths: clean joins and resolves by text, and keeps a trailing slash") {
  CHECK(cleaned("", "/a//b/./c/../d") == "/a/b/d");
  CHECK(cleaned("", "/../..") == "/");
  CHECK(cleaned("/data/wb/x", "../../etc") == "/data/etc");
  CHECK(cleaned("/data/wb/x", "y/") == "/data/wb/x/y/");
  CHECK(cleaned("/", "a") == "/a");
  char small[8];
  Text text(small);
  CHECK_FALSE(paths::clean("", "/longer/than/that", &text));
}

TEST_CASE("paths: how far a relative path climbs") {
  CHECK(paths::highest("a/b") == 0);
  CHECK(paths::highest("../a") == -1);
  CHECK(paths::highest("a/../../b/../..") == -2);
  CHECK(paths::depth("/a/b") == 2);
  CHECK(paths::depth("") == 0);
  CHECK(paths::climbs("a/..b/..") == true);
  CHECK(paths::climbs("a/..b/b..") == false);
}

TEST_CASE("paths: a relative path may enter only by the prefix' own last names") {
  CHECK(paths::may_enter(kRoots, "data/wb"));
  CHECK(paths::may_enter(kRoots, "wb/a"));
  CHECK(paths::may_enter(kRoots, "./wb/a"));
  CHECK_FALSE(paths::may_enter(kRoots, "wbx/a"));
  CHECK_FALSE(paths::may_enter(kRoots, "a/wb"));
}

TEST_CASE("paths: there and back") {
  char room[512], back_room[512];
  Text to(room), back(back_room);
  REQUIRE(paths::to_tree(kRoots, "/data/wb/a/b", &to));
  CHECK(std::string(to.c_str()) == "/home/u/.cache/wbshim/v/tree/a/b");
  REQUIRE(paths::to_virtual(kRoots, to.bytes(), &back));
  CHECK(std::string(back.c_str()) == "/data/wb/a/b");
  to.clear();
  CHECK_FALSE(paths::to_tree(kRoots, "/data/wbx", &to));
}

TEST_CASE("paths: clean agrees with a model on random paths") {
  unsigned seed = std::random_device{}();
  std::printf("paths_test: seed %u\n", seed);
  std::mt19937 random(seed);
  const std::string words[] = {"a", "b", ".", "..", "", "..."};
  for (int round = 0; round < 20000; round++) {
    std::string path;
    std::vector<std::string> model;
    for (unsigned n = random() % 8; n > 0; n--) {
      const std::string& word = words[random() % 6];
      path += '/';
      path += word;
      if (word == "..") {
        if (!model.empty()) model.pop_back();
      } else if (!word.empty() && word != ".") {
        model.push_back(word);
      }
    }
    std::string expected;
    for (auto& word : model) {
      expected += '/';
      expected += word;
    }
    if (expected.empty())
      expected.push_back('/');
    else if (!path.empty() && path.back() == '/')
      expected += '/';
    CAPTURE(path);
    CHECK(cleaned("", path) == expected);
  }
}
