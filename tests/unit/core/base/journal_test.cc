#include "core/base/journal.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "core/base/crc32c.h"

using namespace wbshim;

namespace {

std::string encoded(journal::Kind kind, uint64_t base, const std::string& path) {
  std::string room(journal::kMaxLine + 64, '\0');
  journal::Line line;
  line.kind = kind;
  line.base = base;
  line.path = Bytes(path.data(), path.size());
  size_t n = journal::encode(line, room.data(), room.size());
  REQUIRE(n > 0);
  return room.substr(0, n);
}

struct Folder {
  char name[32] = "/tmp/wbshim-journal-XXXXXX";
  Folder() { REQUIRE(mkdtemp(name)); }
  ~Folder() {
    unlink(file().c_str());
    unlink((file() + ".taken").c_str());
    rmdir(name);
  }
  std::string file() const { return std::string(name) + "/current"; }
};

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

}  // namespace

TEST_CASE("journal: a line comes back as it was, whatever the path holds") {
  for (std::string path : {"a", "dir/file with spaces", "line\nfeed", "\xff\xfe", ""}) {
    std::string line = encoded(journal::Kind::Removed, 1795449577349146, path);
    Bytes rest(line.data(), line.size());
    journal::Line back;
    REQUIRE(journal::decode(&rest, &back) == journal::Next::Line);
    CHECK(back.kind == journal::Kind::Removed);
    CHECK(back.base == 1795449577349146);
    CHECK(std::string(back.path.data, back.path.size) == path);
    CHECK(rest.size == 0);
  }
}

TEST_CASE("journal: damage is skipped, what follows is read") {
  std::string good = encoded(journal::Kind::Changed, 7, "good");
  for (size_t at = 0; at + 1 < good.size(); at++) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    if (bad[at] == '\0') continue;
    std::string both = bad + good;
    Bytes rest(both.data(), both.size());
    journal::Line line;
    CAPTURE(at);
    CHECK(journal::decode(&rest, &line) == journal::Next::Skipped);
    CHECK(journal::decode(&rest, &line) == journal::Next::Line);
    CHECK(std::string(line.path.data, line.path.size) == "good");
  }
}

TEST_CASE("journal: a torn end is left for later") {
  std::string line = encoded(journal::Kind::Changed, 7, "good");
  for (size_t n = 0; n < line.size(); n++) {
    Bytes rest(line.data(), n);
    journal::Line ignored;
    CHECK(journal::decode(&rest, &ignored) == journal::Next::End);
    CHECK(rest.size == n);
  }
}

TEST_CASE("journal: append makes the file, and makes a new one when the reader has taken it") {
  Folder folder;
  journal::Line line;
  line.path = Bytes("p");
  std::atomic<int> keep = -1;
  REQUIRE(journal::append(folder.file().c_str(), line, &keep, 100));
  CHECK(keep.load() >= 100);
  std::string first = content(folder.file());
  REQUIRE(journal::append(folder.file().c_str(), line, &keep, 100));
  CHECK(content(folder.file()) == first + first);
  REQUIRE(rename(folder.file().c_str(), (folder.file() + ".taken").c_str()) == 0);
  REQUIRE(unlink((folder.file() + ".taken").c_str()) == 0);
  REQUIRE(journal::append(folder.file().c_str(), line, &keep, 100));
  CHECK(content(folder.file()) == first);
  close(keep.load());
}

TEST_CASE("journal: a kept number that became another file is never written to") {
  Folder folder;
  journal::Line line;
  line.path = Bytes("p");
  std::atomic<int> keep = -1;
  REQUIRE(journal::append(folder.file().c_str(), line, &keep, 100));
  std::string other = folder.file() + ".taken";
  FILE* mine = fopen(other.c_str(), "w");
  REQUIRE(dup2(fileno(mine), keep.load()) == keep.load());
  int number = keep.load();
  REQUIRE(journal::append(folder.file().c_str(), line, &keep, 100));
  CHECK(content(other).empty());
  fclose(mine);
  close(number);
  if (keep.load() >= 0) close(keep.load());
}

TEST_CASE("journal: no directory, no line, no error but false") {
  journal::Line line;
  line.path = Bytes("p");
  CHECK_FALSE(journal::append("/tmp/wbshim-no-such-directory/current", line));
}
