// The uploader's own publishes, journal replay and scan, against a real Redis and a real tree.
#include <fcntl.h>

#include "core/util/bytes.h"
#include "tests/integration/parts_fixture.h"

using namespace wbshim;
using test::PartsFixture;

namespace {

void append(const PartsFixture& f, journal::Kind kind, const std::string& path, uint64_t base = 0) {
  journal::Line line;
  line.kind = kind;
  line.base = base;
  line.path = bytes(path);
  REQUIRE(journal::append(f.staging.at("journal/current").c_str(), line));
}

void run_scan(PartsFixture& f) {
  f.scan.request();
  uint64_t wanted = f.scan.begun() + 1;
  for (int i = 0; i < 10000 && f.scan.finished() < wanted; i++) f.scan.step(5);
  REQUIRE(f.scan.finished() >= wanted);
}

}  // namespace

TEST_CASE_FIXTURE(PartsFixture,
                  "a file is published with its ancestors, and what is answered is remembered") {
  file("a/b/c", "text");
  notice("a/b/c");
  CHECK(record("a")->type == 'd');
  CHECK(record("a/b")->type == 'd');
  auto got = record("a/b/c");
  REQUIRE(got);
  CHECK(got->size == 4);
  CHECK(got->owner == "me");
  CHECK(got->boot == "bootboot");
  CHECK(page->seen_gen >= got->generation);
  CHECK(record("a")->generation <= got->generation);
}

TEST_CASE_FIXTURE(PartsFixture, "publishing twice what has not changed does nothing") {
  file("f", "text");
  notice("f");
  uint64_t generation = record("f")->generation;
  notice("f");
  CHECK(record("f")->generation == generation);
  file("f", "other");
  notice("f");
  CHECK(record("f")->generation > generation);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "our own act takes over what an earlier client left; a look does not") {
  file("f", "text");
  publish({.path = "f"}, "they");
  Notice look;
  look.path = "f";
  REQUIRE(publisher.publish({look}));
  CHECK(record("f")->owner == "they");
  notice("f");
  CHECK(record("f")->owner == "me");
}

TEST_CASE_FIXTURE(PartsFixture, "links are recorded with the target that programs see") {
  REQUIRE(symlink((tree.path() + "/x\xff").c_str(), staging.at("tree/link").c_str()) == 0);
  notice("link");
  CHECK(record("link")->type == 'l');
  CHECK(record("link")->target == "/wb/x\xff");
}

TEST_CASE_FIXTURE(PartsFixture,
                  "what is gone is removed; removals of what is newer are not believed") {
  file("f", "text");
  notice("f");
  unlink(staging.at("tree/f").c_str());
  notice("f", true, 1);  // the line is older than the record, but the absence itself is evidence
  CHECK(text("f").empty());
  const auto counted = [this](Counter which) {
    return page->counters[static_cast<unsigned>(which)].load();
  };
  CHECK(counted(Counter::SkippedDeleted) == 1);
  CHECK(counted(Counter::SkippedDeletedBytes) == 4);
  // Redis never heard of this one: only the journal that saw it come knows that it was a file.
  Notice gone;
  gone.path = "h";
  gone.acted = gone.removed = true;
  REQUIRE(publisher.publish({gone}));
  CHECK(counted(Counter::SkippedDeleted) == 1);
  gone.made = true;
  REQUIRE(publisher.publish({gone}));
  CHECK(counted(Counter::SkippedDeleted) == 2);
  publish({.path = "g"}, "they");
  notice("g", true, 1);
  CHECK(record("g"));
  notice("g", true, record("g")->generation);
  CHECK(record("g")->tombstone());
}

TEST_CASE_FIXTURE(PartsFixture,
                  "pipes and names outside are passed over; the rest of the batch is published") {
  REQUIRE(mkfifo(staging.at("tree/fifo").c_str(), 0600) == 0);
  file("f", "text");
  std::vector<Notice> notices(5);
  notices[0].path = "fifo";
  notices[1].path = "../outside";
  notices[2].path = "";
  notices[3].path = std::string("a\0b", 3);
  notices[4].path = "f";
  REQUIRE(publisher.publish(notices));
  CHECK(record("f"));
  CHECK(text("fifo").empty());
}

TEST_CASE_FIXTURE(PartsFixture, "replay: changed, removed, held open, a renamed directory") {
  file("kept", "1");
  file("old/sub/x", "2");
  for (const char* path : {"kept", "old", "old/sub", "old/sub/x"})
    append(*this, journal::Kind::Changed, path);
  append(*this, journal::Kind::Changed, "never");
  while (replay.step()) {
  }
  CHECK(record("kept"));
  CHECK(record("old/sub/x"));
  CHECK(text("never").empty());

  REQUIRE(rename(staging.at("tree/old").c_str(), staging.at("tree/new").c_str()) == 0);
  append(*this, journal::Kind::Tree, "old", page->seen_gen);
  append(*this, journal::Kind::Tree, "new", page->seen_gen);
  unlink(staging.at("tree/kept").c_str());
  append(*this, journal::Kind::Removed, "kept", page->seen_gen);
  while (replay.step()) {
  }
  CHECK(replay.idle());
  CHECK(record("new/sub/x"));
  CHECK(text("old/sub/x").empty());
  CHECK(text("old/sub").empty());
  CHECK(text("old").empty());
  CHECK(text("kept").empty());

  int fd = open(staging.at("tree/held").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  append(*this, journal::Kind::Held, "held");
  while (replay.step()) {
  }
  replay.step_held();
  CHECK(replay.held() == 1);
  CHECK(text("held").empty());
  close(fd);
  for (uint64_t end = clock.now_ms() + 60000; replay.held() > 0 && clock.now_ms() < end;
       usleep(10000))
    replay.step_held();
  CHECK(record("held"));
}

TEST_CASE_FIXTURE(PartsFixture, "what is held at the end goes back into the journal") {
  int fd = open(staging.at("tree/held").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  append(*this, journal::Kind::Held, "held", 5);
  while (replay.step()) {
  }
  REQUIRE(replay.held() == 1);
  CHECK(replay.put_back());
  JournalReader reader(staging.at("journal"));
  REQUIRE(reader.next(10).size() == 1);
  CHECK(reader.next(10)[0].kind == journal::Kind::Held);
  CHECK(reader.next(10)[0].path == "held");
  close(fd);
}

TEST_CASE_FIXTURE(PartsFixture, "replay: damage makes a scan") {
  staging.write("journal/current", std::string("rubbish\0", 8));
  file("f", "text");
  while (replay.step()) {
  }
  CHECK(scan.running());
  CHECK(tally.lines_damaged == 1);
}

TEST_CASE_FIXTURE(PartsFixture, "replay waits for Redis and keeps the lines") {
  file("f", "text");
  append(*this, journal::Kind::Changed, "f");
  redis.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"});
  redis.command({"PING"});
  for (uint64_t end = clock.now_ms() + 60000; !record("f") && clock.now_ms() < end; usleep(1000))
    replay.step();
  CHECK(record("f"));
}

TEST_CASE_FIXTURE(
    PartsFixture,
    "scan: what Redis does not know is published, what vanished is removed, the rest is left") {
  file("d/known", "1");
  notice("d/known");
  uint64_t generation = record("d/known")->generation;
  file("d/unknown", "22");
  file("d/changed", "3");
  notice("d/changed");
  file("d/changed", "333");
  file("d/vanished", "4");
  notice("d/vanished");
  file("empty/dir/x", "5");
  for (const char* path : {"empty", "empty/dir", "empty/dir/x"}) notice(path);
  std::filesystem::remove_all(staging.at("tree/empty"));
  unlink(staging.at("tree/d/vanished").c_str());
  publish({.path = "d/theirs"}, "they");
  publish({.path = "d/otherboot", .boot = "otherone"});
  run_scan(*this);
  CHECK(record("d/known")->generation == generation);
  CHECK(record("d/unknown")->size == 2);
  CHECK(record("d/changed")->size == 3);
  for (const char* path : {"d/vanished", "empty", "empty/dir", "empty/dir/x"}) {
    CAPTURE(path);
    CHECK(text(path).empty());
  }
  CHECK(record("d/theirs")->owner == "they");
  CHECK_FALSE(record("d/otherboot")->tombstone());
  CHECK(tally.scans == 1);
}

TEST_CASE_FIXTURE(PartsFixture, "scan: a second pass over the same tree changes nothing") {
  for (int i = 0; i < 500; i++)
    staging.write("tree/d" + std::to_string(i % 7) + "/f" + std::to_string(i), "x");
  run_scan(*this);
  CHECK(queue.size(List::Due) == 507);
  uint64_t seen_before = page->seen_gen;
  run_scan(*this);
  CHECK(page->seen_gen == seen_before);
}

TEST_CASE_FIXTURE(PartsFixture, "scan: a wiped or replaced tree never becomes deletions") {
  for (int i = 0; i < 20; i++) staging.write("tree/f" + std::to_string(i), "x");
  run_scan(*this);
  // Made anew between two runs: the floor says so.
  for (int i = 0; i < 20; i++) unlink(staging.at("tree/f" + std::to_string(i)).c_str());
  scan.set_floor(page->seen_gen);
  run_scan(*this);
  CHECK(redis.command({"HLEN", volume.dir("")}).integer == 20);
  CHECK(queue.size(List::Del) == 0);
  // Replaced under a running uploader: it is not the tree that was opened.
  scan.set_floor(0);
  REQUIRE(rename(staging.at("tree").c_str(), staging.at("elsewhere").c_str()) == 0);
  REQUIRE(mkdir(staging.at("tree").c_str(), 0700) == 0);
  run_scan(*this);
  CHECK(redis.command({"HLEN", volume.dir("")}).integer == 20);
}

TEST_CASE_FIXTURE(PartsFixture, "scan: Redis that lost everything gets it back") {
  file("d/f", "text");
  notice("d/f");
  redis.command({"FLUSHALL"});
  run_scan(*this);
  CHECK(record("d/f")->size == 4);
  CHECK(record("d/f")->generation > page->seen_gen - 5000000);
  CHECK(record("d")->type == 'd');
}
