#include "core/volume/tree.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/support/scratch.h"

using namespace wbshim;

namespace {

struct Fixture {
  test::Scratch scratch;
  Tree tree;
  Fixture() : tree(make(scratch)) {}
  static Tree make(const test::Scratch& scratch) {
    scratch.write("tree/dir/file", "text");
    scratch.write("outside/secret", "secret");
    REQUIRE(symlink("dir", scratch.at("tree/inner").c_str()) == 0);
    REQUIRE(symlink("../outside", scratch.at("tree/escape").c_str()) == 0);
    return std::move(Tree::open(scratch.path(), "/wb").value());
  }
  Sight look(const std::string& path) const {
    struct stat st = {};
    return tree.look(path, &st);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "look: what is there, what is not, and what is behind a link is not") {
  struct stat st = {};
  CHECK(tree.look("dir/file", &st) == Sight::Present);
  CHECK(S_ISREG(st.st_mode));
  CHECK(tree.look("inner", &st) == Sight::Present);
  CHECK(S_ISLNK(st.st_mode));
  CHECK(tree.look("", &st) == Sight::Present);
  CHECK(look("none") == Sight::Absent);
  CHECK(look("dir/file/none") == Sight::Absent);
  CHECK(look("inner/file") == Sight::Absent);
  CHECK(look("escape/secret") == Sight::Absent);
  CHECK(look("../outside/secret") == Sight::Unknown);
  CHECK(look(std::string("a\0b", 3)) == Sight::Unknown);
  CHECK(look(std::string(300, 'n')) == Sight::Unknown);
}

TEST_CASE_FIXTURE(Fixture, "a tree that is gone or replaced tells nothing") {
  CHECK(tree.intact());
  REQUIRE(rename(scratch.at("tree").c_str(), scratch.at("elsewhere").c_str()) == 0);
  CHECK_FALSE(tree.intact());
  CHECK(look("none") == Sight::Unknown);
  REQUIRE(mkdir(scratch.at("tree").c_str(), 0700) == 0);
  CHECK_FALSE(tree.intact());
  CHECK(look("none") == Sight::Unknown);
}

TEST_CASE_FIXTURE(Fixture,
                  "open_beneath neither leaves the tree nor follows a link, nor waits at a FIFO") {
  CHECK(tree.open_beneath("dir/file", O_RDONLY));
  CHECK_FALSE(tree.open_beneath("inner/file", O_RDONLY));
  CHECK_FALSE(tree.open_beneath("escape/secret", O_RDONLY));
  CHECK_FALSE(tree.open_beneath("inner", O_RDONLY));
  CHECK_FALSE(tree.open_beneath("/etc/passwd", O_RDONLY));
  REQUIRE(mkfifo(scratch.at("tree/fifo").c_str(), 0600) == 0);
  CHECK(tree.open_beneath("fifo", O_RDONLY));
}

TEST_CASE_FIXTURE(Fixture, "a link into the tree points under the prefix, as programs see it") {
  CHECK(tree.virtual_target(tree.path() + "/a/b") == "/wb/a/b");
  CHECK(tree.virtual_target(tree.path()) == "/wb");
  CHECK(tree.virtual_target(tree.path() + "x/a") == tree.path() + "x/a");
  CHECK(tree.virtual_target("../a") == "../a");
  CHECK(tree.link_target("inner").value() == "dir");
  CHECK_FALSE(tree.link_target("none"));
  CHECK_FALSE(tree.link_target("dir/file"));
}
