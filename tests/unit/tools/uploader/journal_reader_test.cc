#include "tools/uploader/journal_reader.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>
#include <thread>

#include "core/util/bytes.h"
#include "tests/unit/support/scratch.h"
#include "tools/uploader/replay.h"

using namespace wbshim;

namespace {

struct Fixture {
  test::Scratch scratch;

  void append(journal::Kind kind, const std::string& path, uint64_t base = 0) const {
    journal::Line line;
    line.kind = kind;
    line.base = base;
    line.path = bytes(path);
    REQUIRE(journal::append(scratch.at("current").c_str(), line));
  }
  // Everything, in acknowledged batches.
  static std::vector<std::string> drain(JournalReader& reader, size_t most = 3) {
    std::vector<std::string> paths;
    for (;;) {
      auto lines = reader.next(most);
      if (lines.empty()) return paths;
      CHECK(lines.size() <= most);
      for (const JournalLine& line : lines) paths.push_back(line.path);
      reader.acknowledge();
    }
  }
  size_t files() const {
    size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
      if (entry.is_regular_file()) n++;
    }
    return n;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "no journal: no lines, no news") {
  JournalReader reader(scratch.path());
  CHECK_FALSE(reader.has_news());
  CHECK(reader.next(10).empty());
  CHECK(files() == 0);
}

TEST_CASE_FIXTURE(Fixture, "every line, in order, in batches, and then the file is gone") {
  std::vector<std::string> expected;
  for (int i = 0; i < 100; i++) {
    expected.push_back("dir/" + std::to_string(i));
    append(i % 2 ? journal::Kind::Changed : journal::Kind::Removed, expected.back(),
           1795450182119231ULL);
  }
  JournalReader reader(scratch.path());
  CHECK(reader.has_news());
  CHECK(reader.bytes_waiting() > 0);
  CHECK(reader.next(1).front().base == 1795450182119231ULL);
  CHECK(drain(reader, 7) == expected);
  CHECK(files() == 0);
  CHECK_FALSE(reader.has_news());
  CHECK(reader.damaged() == 0);
}

TEST_CASE_FIXTURE(Fixture, "what is not acknowledged comes again, also in the next run") {
  append(journal::Kind::Changed, "a");
  append(journal::Kind::Changed, "b");
  {
    JournalReader reader(scratch.path());
    CHECK(reader.next(1).front().path == "a");
    CHECK(reader.next(1).front().path == "a");
  }
  append(journal::Kind::Changed, "c");
  JournalReader reader(scratch.path());
  CHECK(drain(reader) == std::vector<std::string>{"a", "b", "c"});
  CHECK(files() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "whoever appended to the file between its end and its removal is heard") {
  append(journal::Kind::Changed, "a");
  JournalReader reader(scratch.path());
  int late = open(scratch.at("current").c_str(), O_WRONLY | O_APPEND);
  REQUIRE(late >= 0);
  CHECK(reader.next(10).size() == 1);  // taken and read to its end
  char room[256];
  journal::Line line;
  line.path = Bytes("late");
  size_t n = journal::encode(line, room, sizeof room);
  REQUIRE(write(late, room, n) == static_cast<ssize_t>(n));
  close(late);
  reader.acknowledge();
  REQUIRE(reader.next(10).size() == 1);
  CHECK(reader.next(10).front().path == "late");
  CHECK(drain(reader).size() == 1);
  CHECK(files() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "lines whose file is gone are known, so that they can be written again") {
  append(journal::Kind::Changed, "a");
  JournalReader reader(scratch.path());
  int late = open(scratch.at("current").c_str(), O_WRONLY | O_APPEND);
  REQUIRE(reader.next(10).size() == 1);
  CHECK(reader.unsaved().empty());
  reader.acknowledge();
  // The reader has seen the end of the file only when it asks again.
  CHECK(reader.next(10).empty());
  close(late);
  CHECK(reader.unsaved().empty());
}

TEST_CASE_FIXTURE(Fixture, "damaged and torn lines are counted, the rest is read") {
  append(journal::Kind::Changed, "a");
  std::ofstream(scratch.at("current"), std::ios::app | std::ios::binary)
      << std::string("rubbish\0W10005", 14);
  append(journal::Kind::Changed, "joined to the torn one");
  append(journal::Kind::Changed, "b");
  std::ofstream(scratch.at("current"), std::ios::app | std::ios::binary)
      << "W1000500000000 c 0 half";
  JournalReader reader(scratch.path());
  CHECK(drain(reader) == std::vector<std::string>{"a", "b"});
  CHECK(reader.damaged() == 3);
  CHECK(files() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a file of zeros or without any NUL is no more than damage") {
  scratch.write("current", std::string(300000, 'x'));
  JournalReader reader(scratch.path());
  CHECK(drain(reader).empty());
  CHECK(reader.damaged() > 0);
  scratch.write("current", std::string(3000, '\0'));
  CHECK(drain(reader).empty());
  CHECK(files() == 0);
}

TEST_CASE_FIXTURE(Fixture, "appenders and the reader at once: nothing is lost") {
  constexpr int kEach = 2000;
  std::vector<std::thread> threads;
  threads.reserve(3);
  std::atomic<int> done = 0;
  for (int t = 0; t < 3; t++) {
    threads.emplace_back([this, t, &done] {
      for (int i = 0; i < kEach; i++) {
        std::string path = std::to_string(t) + "/" + std::to_string(i);
        journal::Line line;
        line.path = bytes(path);
        journal::append(scratch.at("current").c_str(), line);
      }
      done++;
    });
  }
  JournalReader reader(scratch.path());
  std::map<std::string, int> seen;
  while (done < 3) {
    for (const std::string& path : drain(reader, 64)) seen[path]++;
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& path : drain(reader, 64)) seen[path]++;
  CHECK(seen.size() == 3 * kEach);
  CHECK(files() == 0);
}

TEST_CASE("lines of one path become one notice") {
  using journal::Kind;
  auto notices = merge_lines({{Kind::Changed, 5, "a"},
                              {Kind::Removed, 7, "b"},
                              {Kind::Removed, 3, "a"},
                              {Kind::Removed, 9, "a"},
                              {Kind::Changed, 99, "a"}});
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].path == "a");
  CHECK(notices[0].acted);
  CHECK(notices[0].removed);
  CHECK(notices[0].base == 9);
  CHECK(notices[1].path == "b");
  CHECK(notices[1].base == 7);
  CHECK(merge_lines({{Kind::Tree, 4, "d"}})[0].removed);
  CHECK_FALSE(merge_lines({{Kind::Changed, 4, "d"}})[0].removed);
}

TEST_CASE_FIXTURE(Fixture, "what is no journal but stands in its place is removed, not followed") {
  std::ofstream(scratch.at("victim")) << "precious";
  for (const char* target : {"victim", "absent"}) {
    REQUIRE(symlink(scratch.at(target).c_str(), scratch.at("current").c_str()) == 0);
    JournalReader reader(scratch.path());
    CHECK(reader.next(10).empty());
    CHECK(reader.damaged() == 1);
    CHECK_FALSE(scratch.has("current"));
    append(journal::Kind::Changed, "a");
    CHECK(drain(reader) == std::vector<std::string>{"a"});
  }
  CHECK(scratch.read("victim") == "precious");
  CHECK_FALSE(scratch.has("absent"));
}
