// The upload, deletion and settling policy, against a real Redis and a store whose answers are
// chosen.
#include <fcntl.h>

#include "tests/integration/parts_fixture.h"

using namespace wbshim;
using test::PartsFixture;
using Kind = UploadEvent::Kind;

TEST_CASE_FIXTURE(PartsFixture,
                  "a due file is stored, with the claim's date and the record's generation") {
  file("d/f", "text");
  chmod(staging.at("tree/d/f").c_str(), 0755);
  notice("d/f");
  REQUIRE(drain());
  REQUIRE(store.objects.count("d/f") == 1);
  const auto& object = store.objects["d/f"];
  CHECK(object.bytes == "text");
  CHECK(object.meta.generation == record("d/f")->generation);
  CHECK((object.meta.mode & 07777) == 0755);
  CHECK(S_ISREG(object.meta.mode));
  CHECK(object.dated_ms + 5000 > now());
  CHECK(record("d/f")->etag == "etag:text");
  CHECK_FALSE(record("d/f")->staged());
  CHECK(store.objects.count("d/") == 0);  // a directory that holds something needs none
  CHECK(tally.uploads == 1);
  CHECK(tally.upload_bytes == 4);
  CHECK(store.log == std::vector<std::string>{"put d/f"});
}

TEST_CASE_FIXTURE(PartsFixture, "an empty directory and a link by s3fs' convention") {
  REQUIRE(mkdir(staging.at("tree/d").c_str(), 0755) == 0);
  REQUIRE(symlink((tree.path() + "/d").c_str(), staging.at("tree/l").c_str()) == 0);
  notice("d");
  notice("l");
  REQUIRE(drain());
  CHECK(S_ISDIR(store.objects["d/"].meta.mode));
  CHECK(store.objects["d/"].bytes.empty());
  CHECK(S_ISLNK(store.objects["l"].meta.mode));
  CHECK(store.objects["l"].bytes == "/wb/d");
}

TEST_CASE_FIXTURE(PartsFixture, "not due is not touched; hurried is") {
  volume.delay_ms = 3600000;
  volume.deadline_ms = 7200000;
  file("f", "text");
  notice("f");
  for (int i = 0; i < 5; i++) step();
  CHECK(store.log.empty());
  uploads.hurry("f");
  REQUIRE(work([this] { return count(Kind::Stored) == 1; }));
  CHECK(events.back().etag == "etag:text");
  CHECK(queue.size(List::Due) == 0);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "open for writing: postponed without a claim, named, stored after the close") {
  file("f", "text");
  notice("f");
  int fd = open(staging.at("tree/f").c_str(), O_WRONLY | O_CLOEXEC);
  step();
  CHECK(count(Kind::Writing) == 1);
  CHECK(store.log.empty());
  CHECK(object_row("f").empty());
  CHECK(uploads.writing().count("f") == 1);
  CHECK(due_in(List::Due, "f", 1000));
  close(fd);
  REQUIRE(drain());
  CHECK(uploads.writing().empty());
  CHECK(store.objects["f"].bytes == "text");
}

TEST_CASE_FIXTURE(PartsFixture,
                  "written again without a publish: Redis hears of it before the store") {
  file("f", "text");
  notice("f");
  file("f", "longer text");
  REQUIRE(drain());
  CHECK(store.log == std::vector<std::string>{"put f"});
  CHECK(store.objects["f"].bytes == "longer text");
  CHECK(record("f")->size == 11);
  CHECK(store.objects["f"].meta.generation == record("f")->generation);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "changed while it is sent: counted, sent again, the last state wins") {
  file("f", "one");
  notice("f");
  bool once = false;
  store.meanwhile = [&](const std::string&) {
    if (once) return;
    once = true;
    file("f", "two");
    notice("f");
  };
  REQUIRE(drain());
  CHECK(count(Kind::Superseded) == 1);
  CHECK(count(Kind::Stored) == 1);
  CHECK(tally.superseded == 1);
  CHECK(store.objects["f"].bytes == "two");
  CHECK(redis.command({"HLEN", volume.object()}).integer == 0);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "deleted before its upload: never sent; while it is sent: deleted after") {
  file("never", "x");
  notice("never");
  unlink(staging.at("tree/never").c_str());
  file("late", "y");
  notice("late");
  store.meanwhile = [&](const std::string& key) {
    if (key != "late" || !staging.has("tree/late")) return;
    unlink(staging.at("tree/late").c_str());
    notice("late", true, page->seen_gen);
  };
  REQUIRE(drain());
  CHECK(std::count(store.log.begin(), store.log.end(), "put never") == 0);
  CHECK(store.log == std::vector<std::string>{"put late", "remove late"});
  CHECK(store.objects.empty());
  CHECK(text("late").empty());
  CHECK(text("never").empty());
  CHECK(tally.deletes == 1);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "try later: again after a pause, counted by class, no dead letter") {
  file("f", "text");
  notice("f");
  store.outcomes = {StoreOutcome::TryLater, StoreOutcome::TryLater};
  REQUIRE(drain());
  CHECK(store.objects["f"].bytes == "text");
  CHECK(count(Kind::Failed) == 2);
  CHECK(tally.errors["Chosen"] == 2);
  CHECK(dead.count() == 0);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "refused: a dead letter, an hour's pause, off the list when it is stored") {
  file("f", "text");
  notice("f");
  store.outcomes = {StoreOutcome::Refused};
  REQUIRE(work([this] { return count(Kind::Dead) == 1; }));
  CHECK(due_in(List::Due, "f", 3600000));
  auto letters = dead.list(10);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].path == "f");
  CHECK(letters[0].error_class == "Chosen");
  CHECK(letters[0].attempts == 1);
  CHECK(letters[0].time_ms > 0);
  DeadLetters fresh(redis, volume, clock);
  fresh.load();
  CHECK(fresh.has("f"));
  uploads.hurry("f");
  REQUIRE(drain());
  CHECK(dead.count() == 0);
  CHECK(redis.command({"HLEN", volume.dead()}).integer == 0);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "no answer: tried again and settled later; a late PUT is found and mended") {
  file("f", "one");
  notice("f");
  store.outcomes = {StoreOutcome::Unknown};
  REQUIRE(drain());
  CHECK(store.objects["f"].bytes == "one");
  CHECK(queue.size(List::Settle) == 1);
  // The unanswered request arrives after all, with other bytes.
  store.objects["f"].bytes = "stale";
  hasten_settling();
  REQUIRE(work([this] { return queue.size(List::Settle) == 0 && drained(); }));
  CHECK(store.objects["f"].bytes == "one");
  CHECK(record("f")->etag == "etag:one");
}

TEST_CASE_FIXTURE(PartsFixture, "no answer to a PUT of what is deleted then: the object goes") {
  file("f", "one");
  notice("f");
  store.outcomes = {StoreOutcome::Unknown};
  REQUIRE(work([this] { return count(Kind::Failed) == 1; }));
  unlink(staging.at("tree/f").c_str());
  notice("f", true, page->seen_gen);
  REQUIRE(drain());
  CHECK(store.objects.empty());
  // It arrives once more, late.
  store.objects["f"].bytes = "late";
  hasten_settling();
  REQUIRE(work([this] { return queue.size(List::Settle) == 0 && drained(); }));
  CHECK(store.objects.empty());
}

TEST_CASE_FIXTURE(PartsFixture, "of a rename the new name is stored before the old one goes") {
  file("old", "text");
  notice("old");
  REQUIRE(drain());
  store.log.clear();
  REQUIRE(rename(staging.at("tree/old").c_str(), staging.at("tree/new").c_str()) == 0);
  Notice gone, come;
  gone.path = "old";
  gone.removed = true;
  gone.base = page->seen_gen;
  come.path = "new";
  come.acted = true;
  REQUIRE(publisher.publish({gone, come}));
  REQUIRE(drain());
  CHECK(store.log == std::vector<std::string>{"put new", "remove old"});
  CHECK(store.objects.size() == 1);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "a file's object is gone before anything is stored below its name") {
  file("x", "file");
  notice("x");
  REQUIRE(drain());
  store.log.clear();
  unlink(staging.at("tree/x").c_str());
  file("x/y", "below");
  notice("x/y");
  REQUIRE(drain());
  CHECK(store.log == std::vector<std::string>{"remove x", "put x/y"});
}

TEST_CASE_FIXTURE(
    PartsFixture,
    "deletions: again after a failure; refused ones are named; wanted ones are dropped") {
  for (const char* path : {"a", "b", "c"}) {
    file(path, "x");
    notice(path);
  }
  REQUIRE(drain());
  std::vector<DeleteEvent> seen_events;
  deletes.on_event = [&](const DeleteEvent& event) { seen_events.push_back(event); };
  redis.command({"ZADD", volume.del(), "1", "c"});
  unlink(staging.at("tree/a").c_str());
  store.outcomes = {StoreOutcome::TryLater};
  notice("a", true, page->seen_gen);
  REQUIRE(drain());
  CHECK(store.objects.size() == 2);
  CHECK(store.objects.count("c") == 1);
  unlink(staging.at("tree/b").c_str());
  store.outcomes = {StoreOutcome::Refused};
  notice("b", true, page->seen_gen);
  REQUIRE(work([&] { return !seen_events.empty() && seen_events.back().dead; }));
  CHECK(due_in(List::Del, "b", 3600000));
}

TEST_CASE_FIXTURE(PartsFixture,
                  "no more requests are handed out than go at once, and half as many behind them") {
  for (int i = 0; i < 50; i++) file("f" + std::to_string(i), std::to_string(i));
  for (int i = 0; i < 50; i++) notice("f" + std::to_string(i));
  REQUIRE(work([this] { return drained(); }, 6));
  CHECK(store.most_at_once == 9);
  CHECK(store.objects.size() == 50);
  CHECK(store.log.size() == 50);
}

TEST_CASE_FIXTURE(PartsFixture, "nothing waits behind requests that may take long") {
  const std::string large(size_t{2} << 20, 'x');
  for (int i = 0; i < 9; i++) file("f" + std::to_string(i), large);
  for (int i = 0; i < 9; i++) notice("f" + std::to_string(i));
  REQUIRE(work([this] { return drained(); }, 4));
  CHECK(store.most_at_once == 4);
  CHECK(store.objects.size() == 9);
}

TEST_CASE_FIXTURE(PartsFixture, "nothing waits behind the only request") {
  for (int i = 0; i < 5; i++) file("f" + std::to_string(i), "x");
  for (int i = 0; i < 5; i++) notice("f" + std::to_string(i));
  REQUIRE(work([this] { return drained(); }, 1));
  CHECK(store.most_at_once == 1);
  CHECK(store.objects.size() == 5);
}

TEST_CASE_FIXTURE(
    PartsFixture,
    "the store away: an object of our own tries it, and all is stored in order when it is back") {
  for (int i = 0; i < 10; i++) file("f" + std::to_string(i), "x");
  for (int i = 0; i < 10; i++) notice("f" + std::to_string(i));
  store.outcomes = std::deque<StoreOutcome>(6, StoreOutcome::TryLater);
  REQUIRE(work([this] { return health.away(); }, 2));
  store.most_at_once = 0;
  REQUIRE(work([this] { return store.outcomes.empty(); }, 4));
  CHECK(store.most_at_once <= 1);
  size_t before = store.log.size();
  REQUIRE(drain());
  std::vector<std::string> order;
  for (size_t i = before; i < store.log.size(); i++) {
    if (store.log[i].rfind("put f", 0) == 0) order.push_back(store.log[i]);
  }
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(order.size() == 10);
  CHECK(store.objects.size() == 10);
  CHECK(dead.count() == 0);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "killed while sending: the next run takes the claim over and settles it") {
  file("f", "text");
  notice("f");
  store.held = true;
  step();
  REQUIRE(uploads.in_flight() == 1);
  store.held = false;
  volume.instance = "run2";
  Claim taken = claim("f");
  CHECK(taken.answer == Claim::Answer::Taken);
  CHECK(queue.size(List::Settle) == 1);
  CHECK(finish("f", taken) == Finished::Done);
}

TEST_CASE_FIXTURE(PartsFixture,
                  "the end: what is on its way may still arrive, and Redis is told so") {
  file("f", "text");
  notice("f");
  store.held = true;
  step();
  REQUIRE(uploads.in_flight() == 1);
  uploads.give_up();
  CHECK(uploads.in_flight() == 0);
  CHECK(queue.size(List::Settle) == 1);
  CHECK(object_row("f").find("busy") == std::string::npos);
  CHECK(due_in(List::Due, "f", 0));
}

TEST_CASE_FIXTURE(PartsFixture,
                  "recorded but lost: named in the end, never deleted from the store") {
  file("f", "text");
  notice("f");
  REQUIRE(drain());
  file("f", "newer");
  notice("f");
  // Another boot's record: its absence proves nothing.
  std::string changed = text("f");
  changed.replace(changed.find("bootboot"), 8, "otherone");
  redis.command({"HSET", volume.dir(""), "f", changed});
  unlink(staging.at("tree/f").c_str());
  REQUIRE(work([this] {
    queue.postpone(List::Due, {"f"}, 0);
    return count(Kind::Dead) == 1;
  }));
  CHECK(dead.list(1).at(0).error_class == "LocalMissing");
  CHECK(store.objects["f"].bytes == "text");
}

TEST_CASE_FIXTURE(PartsFixture, "the volume's mark is nobody's file") {
  file(kVolumeMark, "mine");
  notice(kVolumeMark);
  REQUIRE(work([this] { return count(Kind::Dead) == 1; }));
  CHECK(store.log.empty());
}
