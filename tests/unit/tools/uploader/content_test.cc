#include "tools/uploader/content.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <functional>

#include "core/store/crypto.h"
#include "tests/unit/support/scratch.h"
#include "tests/unit/support/settle.h"

using namespace wbshim;

namespace {

// Says what it is told to, and may touch the file between the first fstat and the reading.
class FakeWriters final : public WriterTest {
 public:
  Writers test(int, const struct stat&) override {
    calls++;
    if (meanwhile) meanwhile();
    return answer;
  }
  bool reduced() const override { return reduced_mode; }

  Writers answer = Writers::None;
  bool reduced_mode = false;
  int calls = 0;
  std::function<void()> meanwhile;
};

struct Fixture {
  test::Scratch scratch;
  FakeWriters writers;
  Tree tree;
  Fixture() : tree(make(scratch)) {}
  static Tree make(const test::Scratch& scratch) {
    test::wait_until_settled(scratch.write("tree/file", "content"));
    return std::move(Tree::open(scratch.path(), "/wb").value());
  }
  Content read(const std::string& path, char type = 'f') {
    return read_content(tree, path, type, writers);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the bytes, their hash and the state they belong to") {
  Content content = read("file");
  REQUIRE(content.outcome == ReadOutcome::Ready);
  CHECK(content.body->bytes == "content");
  CHECK(content.body->sha256_hex == sha256_hex("content"));
  CHECK(content.st.st_size == 7);
  CHECK(writers.calls == 1);
}

TEST_CASE_FIXTURE(Fixture, "an empty file and one of several chunks") {
  test::wait_until_settled(scratch.write("tree/empty", ""));
  std::string big(3000001, 'b');
  test::wait_until_settled(scratch.write("tree/big", big));
  CHECK(read("empty").body->bytes.empty());
  CHECK(read("empty").body->sha256_hex == sha256_hex(""));
  Content content = read("big");
  REQUIRE(content.outcome == ReadOutcome::Ready);
  CHECK(content.body->bytes == big);
  CHECK(content.body->sha256_hex == sha256_hex(big));
}

TEST_CASE_FIXTURE(Fixture, "somebody writes, or may write") {
  for (Writers answer : {Writers::Some, Writers::Unknown}) {
    writers.answer = answer;
    CHECK(read("file").outcome == ReadOutcome::Writing);
    CHECK(look_at(tree, "file", writers).outcome == ReadOutcome::Writing);
  }
}

TEST_CASE_FIXTURE(
    Fixture, "changed between the first look and the last: not sent, and tried a second time") {
  int round = 0;
  writers.meanwhile = [&] { scratch.write("tree/file", "other " + std::to_string(round++)); };
  CHECK(read("file").outcome == ReadOutcome::Changed);
  CHECK(writers.calls == 2);
}

TEST_CASE_FIXTURE(Fixture, "a restored mtime does not hide a change") {
  struct stat before = {};
  REQUIRE(stat(scratch.at("tree/file").c_str(), &before) == 0);
  writers.meanwhile = [&] {
    scratch.write("tree/file", "CONTENT");
    struct timespec times[2] = {before.st_atim, before.st_mtim};
    utimensat(AT_FDCWD, scratch.at("tree/file").c_str(), times, 0);
  };
  CHECK(read("file").outcome == ReadOutcome::Changed);
}

TEST_CASE_FIXTURE(
    Fixture, "gone, of another type, behind a link, a FIFO: nothing is read and nothing waits") {
  REQUIRE(symlink("file", scratch.at("tree/link").c_str()) == 0);
  REQUIRE(mkdir(scratch.at("tree/dir").c_str(), 0700) == 0);
  REQUIRE(mkfifo(scratch.at("tree/fifo").c_str(), 0600) == 0);
  for (const char* path : {"none", "link", "dir", "fifo", "link/x", "file/x"}) {
    CAPTURE(path);
    CHECK(read(path).outcome == ReadOutcome::Gone);
  }
  CHECK(read("file", 'd').outcome == ReadOutcome::Gone);
  CHECK(read("file", 'l').outcome == ReadOutcome::Gone);
}

TEST_CASE_FIXTURE(Fixture,
                  "a link's bytes are its target as programs see it; a directory has none") {
  REQUIRE(symlink((scratch.path() + "/tree/file").c_str(), scratch.at("tree/link").c_str()) == 0);
  REQUIRE(mkdir(scratch.at("tree/dir").c_str(), 0700) == 0);
  Content link = read("link", 'l');
  REQUIRE(link.outcome == ReadOutcome::Ready);
  CHECK(link.body->bytes == "/wb/file");
  CHECK(S_ISLNK(link.st.st_mode));
  Content dir = read("dir", 'd');
  REQUIRE(dir.outcome == ReadOutcome::Ready);
  CHECK(dir.body->bytes.empty());
  CHECK(writers.calls == 0);
}

TEST_CASE_FIXTURE(Fixture, "reduced mode: only a quiet file, read twice, tested before and after") {
  writers.reduced_mode = true;
  CHECK(read("file").outcome == ReadOutcome::Changed);
}
