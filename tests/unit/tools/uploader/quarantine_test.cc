#include "tools/uploader/quarantine.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/support/scratch.h"

using namespace wbshim;
using namespace wbshim::test;

namespace {

constexpr uint64_t kTime = 1700000000000;  // 20231114T221320Z

struct Fixture {
  Scratch staging;
  Tree tree = open_tree();

  Tree open_tree() {
    REQUIRE(mkdir(staging.at("tree").c_str(), 0700) == 0);
    REQUIRE(mkdir(staging.at("tree/d").c_str(), 0700) == 0);
    return std::move(Tree::open(staging.path(), "/wb").value());
  }
  void write(const std::string& path, const std::string& text) const {
    std::ofstream(staging.at("tree/" + path)) << text;
  }
  std::string read(const std::string& path) const {
    std::ifstream file(staging.at("quarantine/" + path));
    std::string text;
    std::getline(file, text);
    return text;
  }
  bool in_tree(const std::string& path) const {
    struct stat st = {};
    return tree.look(path, &st) == Sight::Present;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a file goes there under its own name; a second one beside the first") {
  Quarantine quarantine(staging.path(), kTime);
  CHECK(quarantine.count() == 0);
  write("d/f", "one");
  REQUIRE(quarantine.take(tree, "d/f"));
  CHECK_FALSE(in_tree("d/f"));
  write("d/f", "two");
  REQUIRE(quarantine.take(tree, "d/f"));
  CHECK(read("20231114T221320Z/d/f") == "one");
  CHECK(read("20231114T221320Z/d/f.1") == "two");
  CHECK(quarantine.count() == 2);
  CHECK(quarantine.names().front() == "20231114T221320Z/d/f");
}

TEST_CASE_FIXTURE(Fixture,
                  "the next run knows what an earlier one left, and what a person took away") {
  write("f", "one");
  REQUIRE(Quarantine(staging.path(), kTime).take(tree, "f"));
  Quarantine next(staging.path(), kTime + 60000);
  CHECK(next.count() == 1);
  CHECK(next.names().front() == "20231114T221320Z/f");
  REQUIRE(unlink(staging.at("quarantine/20231114T221320Z/f").c_str()) == 0);
  next.recount();
  CHECK(next.count() == 0);
}

TEST_CASE_FIXTURE(Fixture, "what is not there, or lies behind a link, is not taken") {
  Quarantine quarantine(staging.path(), kTime);
  CHECK_FALSE(quarantine.take(tree, "nothing"));
  REQUIRE(symlink("/etc", staging.at("tree/link").c_str()) == 0);
  CHECK_FALSE(quarantine.take(tree, "link/passwd"));
}
