#include "tools/uploader/inotify_tree.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/unit/support/fake_clock.h"
#include "tests/unit/support/scratch.h"

using namespace wbshim;

namespace {

struct Fixture {
  test::Scratch staging;
  test::FakeClock clock;
  Tree tree = make(staging);
  InotifyTree events{tree, clock};

  static Tree make(const test::Scratch& staging) {
    REQUIRE(mkdir(staging.at("tree").c_str(), 0700) == 0);
    return std::move(Tree::open(staging.path(), "/wb").value());
  }
  std::string at(const std::string& path) const { return staging.at("tree/" + path); }
  void directory(const std::string& path) const { REQUIRE(mkdir(at(path).c_str(), 0755) == 0); }
  void file(const std::string& path) const { staging.write("tree/" + path, "text"); }
  void move(const std::string& from, const std::string& to) const {
    REQUIRE(rename(at(from).c_str(), at(to).c_str()) == 0);
  }
  void build() {
    events.rebuild();
    std::vector<TreeEvent> none;
    while (events.step(10, none)) {
    }
    CHECK_FALSE(events.building());
    CHECK(none.empty());
  }
  // Each name once, sorted; "below" is marked by a trailing slash.
  std::vector<std::string> heard() {
    std::vector<TreeEvent> all;
    do events.take(all);
    while (events.step(10, all));
    std::vector<std::string> names;
    names.reserve(all.size());
    for (const TreeEvent& event : all) names.push_back(event.path + (event.below ? "/" : ""));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }
  using Names = std::vector<std::string>;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what was there before is watched and not told; changes in it are") {
  directory("d");
  directory("d/e");
  file("d/e/old");
  build();
  CHECK(events.directories() == 3);
  CHECK(heard().empty());
  file("d/e/new");
  CHECK(heard() == Names{"d/e/new"});
  unlink(at("d/e/old").c_str());
  chmod(at("d/e").c_str(), 0700);
  CHECK(heard() == Names{"d/e", "d/e/old"});
}

TEST_CASE_FIXTURE(Fixture, "new directories are told with what was in them before their watch") {
  build();
  directory("a");
  directory("a/b");
  directory("a/b/c");
  file("a/b/c/f");
  CHECK(heard() == Names{"a", "a/b", "a/b/c", "a/b/c/f"});
  CHECK(events.directories() == 4);
  file("a/b/c/g");
  CHECK(heard() == Names{"a/b/c/g"});
}

TEST_CASE_FIXTURE(Fixture,
                  "a renamed directory keeps its watch under its new name, with all below it") {
  directory("a");
  directory("a/b");
  build();
  move("a", "z");
  file("z/b/f");
  Names names = heard();
  CHECK(std::count(names.begin(), names.end(), "a/") == 1);
  CHECK(std::count(names.begin(), names.end(), "z/") == 1);
  CHECK(events.directories() == 3);
  file("z/b/g");
  CHECK(heard() == Names{"z/b/g"});
}

TEST_CASE_FIXTURE(
    Fixture, "names that are told late end right: chains, exchanges, a new one of the old name") {
  for (const char* name : {"a", "a/in", "b", "b/in"}) directory(name);
  build();
  move("a", "c");
  move("c", "d");
  directory("a");
  directory("a/in");
  REQUIRE(renameat2(AT_FDCWD, at("b").c_str(), AT_FDCWD, at("d").c_str(), RENAME_EXCHANGE) == 0);
  directory("d/in/new");
  heard();
  for (const char* name : {"a/in/1", "b/in/2", "d/in/3", "d/in/new/4"}) file(name);
  CHECK(heard() == Names{"a/in/1", "b/in/2", "d/in/3", "d/in/new/4"});
  clock.now += 10000;
  heard();
  CHECK(events.directories() == 8);
  CHECK_FALSE(events.losses().events);
}

TEST_CASE_FIXTURE(Fixture,
                  "what leaves the tree is watched no more, and watched again when it comes back") {
  directory("d");
  directory("d/e");
  build();
  REQUIRE(rename(at("d").c_str(), staging.at("out").c_str()) == 0);
  CHECK(heard() == Names{"d/"});
  staging.write("out/e/f", "x");
  CHECK(heard().empty());
  CHECK(events.directories() == 3);
  clock.now += 10000;
  heard();
  CHECK(events.directories() == 1);
  REQUIRE(rename(staging.at("out").c_str(), at("back").c_str()) == 0);
  heard();
  CHECK(events.directories() == 3);
  file("back/e/g");
  CHECK(heard() == Names{"back/e/g"});
}

TEST_CASE_FIXTURE(Fixture, "removed directories are forgotten; links are not followed") {
  directory("d");
  build();
  REQUIRE(symlink(at("d").c_str(), at("l").c_str()) == 0);
  CHECK(heard() == Names{"l"});
  CHECK(events.directories() == 2);
  REQUIRE(rmdir(at("d").c_str()) == 0);
  CHECK(heard() == Names{"d"});
  CHECK(events.directories() == 1);
}

TEST_CASE_FIXTURE(Fixture, "beginning again changes nothing") {
  directory("d");
  build();
  build();
  CHECK(events.directories() == 2);
  file("d/f");
  CHECK(heard() == Names{"d/f"});
}
