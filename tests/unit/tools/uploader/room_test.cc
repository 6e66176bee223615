// What back-pressure looks at and gives up: the reserve, leftovers, files open for writing.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/reserve.h"
#include "core/base/shared_page.h"
#include "tests/unit/support/scratch.h"
#include "tools/uploader/disk_reserve.h"
#include "tools/uploader/leftovers.h"
#include "tools/uploader/open_files.h"

using namespace wbshim;

namespace {

constexpr uint64_t kMega = uint64_t{1} << 20;

DiskRoom disk(uint64_t total, uint64_t free) {
  DiskRoom room;
  room.known = true;
  room.total_bytes = total;
  room.free_bytes = free;
  room.total_inodes = 1000;
  room.free_inodes = 500;
  return room;
}

}  // namespace

TEST_CASE("reserve: a hundredth, within bounds; none on the smallest disks") {
  CHECK(reserve::size_for(1000 * kMega, false) == 10 * kMega);
  CHECK(reserve::size_for(1000000 * kMega, false) == 64 * kMega);
  CHECK(reserve::size_for(1000000 * kMega, true) == 8 * kMega);
  CHECK(reserve::size_for(5 * kMega, false) == kMega / 4);
  CHECK(reserve::size_for(4 * kMega, false) == kMega / 4);
  CHECK(reserve::size_for(4 * kMega - 1, false) == 0);
}

TEST_CASE("reserve: taken where there is room, given up by anybody, seen to be gone") {
  const test::Scratch scratch;
  scratch.write("run/x", "");
  DiskReserve kept(scratch.path());
  CHECK_FALSE(kept.give_up());
  kept.take(disk(100 * kMega, 3 * kMega - 1));
  CHECK(kept.bytes() == 0);
  CHECK_FALSE(scratch.has(reserve::kBytes));
  kept.take(disk(100 * kMega, 3 * kMega));
  CHECK(kept.bytes() >= kMega);
  CHECK(kept.inodes() == reserve::kInodes);
  CHECK(reserve::give_up(scratch.path().c_str()));
  CHECK_FALSE(reserve::give_up(scratch.path().c_str()));
  kept.look();
  CHECK(kept.bytes() + kept.inodes() == 0);
  // Half of it was left by somebody who was interrupted.
  scratch.write(reserve::kBytes, "short");
  kept.look();
  kept.take(disk(100 * kMega, 50 * kMega));
  CHECK(kept.bytes() >= kMega);
  CHECK(kept.give_up());
  CHECK(kept.bytes() + kept.inodes() == 0);
}

TEST_CASE("leftovers: temporary files of ours that are old, nothing else") {
  const test::Scratch scratch;
  for (const char* name : {"run/stats.1234.tmp", "run/probe.77", "epoch.9.tmp", "run/stats",
                           "run/uploader.log", "client", "tree/user.tmp"})
    scratch.write(name, "x");
  CHECK_FALSE(drop_leftovers(scratch.path()));
  CHECK(drop_leftovers(scratch.path(), time(nullptr) + 61));
  CHECK_FALSE(scratch.has("run/stats.1234.tmp"));
  CHECK_FALSE(scratch.has("run/probe.77"));
  CHECK_FALSE(scratch.has("epoch.9.tmp"));
  for (const char* name : {"run/stats", "run/uploader.log", "client", "tree/user.tmp"})
    CHECK(scratch.has(name));
  CHECK_FALSE(drop_leftovers(scratch.path(), time(nullptr) + 61));
}

TEST_CASE("open files: those below the tree, open for writing, each once") {
  const test::Scratch scratch;
  auto open_file = [&](const std::string& process, const std::string& fd, const std::string& target,
                       const std::string& flags) {
    scratch.write("proc/" + process + "/fdinfo/" + fd, "pos:\t0\nflags:\t" + flags + "\n");
    std::filesystem::create_directories(scratch.at("proc/" + process + "/fd"));
    std::filesystem::create_symlink(target, scratch.at("proc/" + process + "/fd/" + fd));
  };
  const std::string proc = scratch.at("proc");
  CHECK_FALSE(count_open_for_writing("/s/tree", "/wb", proc).has_value());
  open_file("10", "3", "/s/tree/a", "0100001");
  open_file("10", "4", "/s/tree/a", "0100002");  // the same file
  open_file("10", "5", "/s/tree/b", "0100000");  // for reading
  open_file("10", "6", "/s/treehouse/c", "0100001");
  open_file("10", "7", "/elsewhere", "0100001");
  open_file("11", "3", "/wb/a", "0100001");  // the first again, in a mount
  open_file("11", "4", "/wb/d/e", "0100001");
  open_file("self", "3", "/s/tree/z", "0100001");  // no process of its own
  CHECK(count_open_for_writing("/s/tree", "/wb", proc) == 2);
  CHECK(count_open_for_writing("/s/tree", "", proc) == 1);
}

TEST_CASE("shared page: its block is there before anybody writes to it") {
  const test::Scratch scratch;
  const std::string path = scratch.write("run/shared", "");
  REQUIRE(truncate(path.c_str(), SharedPage::kSize) == 0);
  REQUIRE(map_shared_page(scratch.path().c_str()) != nullptr);
  struct stat st {};
  REQUIRE(stat(path.c_str(), &st) == 0);
  CHECK(st.st_size == static_cast<off_t>(SharedPage::kSize));
  CHECK(st.st_blocks > 0);
}
