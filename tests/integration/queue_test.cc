// Every path of core/scripts/*.lua against a real Redis.
#include "core/volume/queue.h"

#include <algorithm>

#include "tests/integration/volume_fixture.h"

using namespace wbshim;
using test::VolumeFixture;

namespace {
constexpr int kUnchanged = 0, kPublished = 1, kUnstored = 2, kStored = 3, kRefused = 4,
              kNothing = 5;
}

TEST_CASE_FIXTURE(VolumeFixture, "publish: a new file is recorded and queued") {
  auto answer = publish({.path = "a/b"});
  CHECK(answer.code == kPublished);
  auto got = record("a/b");
  REQUIRE(got);
  CHECK(got->generation == answer.generation);
  CHECK(got->owner == "me");
  CHECK(got->id == "1.2.3.4");
  CHECK(got->staged());
  CHECK(got->size == 5);
  CHECK(got->etag.empty());
  CHECK(due_in(List::Due, "a/b", volume.delay_ms));
  CHECK(redis.command({"HGET", volume.meta(), "gen"}).text == std::to_string(answer.generation));
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "publish: changed again keeps the first unsaved close and the deadline") {
  volume.delay_ms = 60000;
  volume.deadline_ms = 30000;
  publish({.path = "f"});
  auto first = record("f");
  CHECK(due_in(List::Due, "f", 30000));
  auto again = publish({.path = "f", .id = "2.2.2.2"});
  auto second = record("f");
  CHECK(again.generation > first->generation);
  CHECK(second->since_ms == first->since_ms);
  CHECK(*due(List::Due, "f") == first->since_ms + 30000);
}

TEST_CASE_FIXTURE(VolumeFixture, "publish: due at once when asked") {
  publish({.path = "f", .now = true});
  CHECK(due_in(List::Due, "f", 0));
}

TEST_CASE_FIXTURE(
    VolumeFixture,
    "publish: a look at what is recorded does nothing; at something else it publishes") {
  auto first = publish({.path = "f"});
  auto look = publish({.kind = 'l', .path = "f"});
  CHECK(look.code == kUnchanged);
  CHECK(look.generation == 0);
  CHECK(record("f")->generation == first.generation);
  CHECK(publish({.kind = 'l', .path = "f", .id = "9.9.9.9"}).code == kPublished);
  CHECK(publish({.kind = 'l', .path = "new"}).code == kPublished);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "publish: a look never takes over another client's record; our own act does") {
  publish({.path = "f"}, "they");
  CHECK(publish({.kind = 'l', .path = "f", .id = "9.9.9.9"}).code == kRefused);
  CHECK(record("f")->owner == "they");
  CHECK(publish({.kind = 'c', .path = "f", .id = "9.9.9.9"}).code == kPublished);
  CHECK(record("f")->owner == "me");
}

TEST_CASE_FIXTURE(VolumeFixture, "publish: the etag of what is stored stays in the record") {
  store("f");
  publish({.path = "f", .id = "2.2.2.2"});
  CHECK(record("f")->etag == "etag-f");
  CHECK(record("f")->staged());
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "removal: never stored leaves nothing, and tells the bytes saved") {
  publish({.path = "d/f", .size = 77});
  auto gone = publish({.kind = 'u', .path = "d/f"});
  CHECK(gone.code == kUnstored);
  CHECK(gone.size == 77);
  CHECK(text("d/f").empty());
  CHECK_FALSE(due(List::Due, "d/f"));
  CHECK_FALSE(due(List::Del, "d/f"));
  CHECK(due_in(List::Due, "d",
               volume.delay_ms));  // the directory is empty now: its own object is wanted again
  CHECK(publish({.kind = 'u', .path = "d/f"}).code == kNothing);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "removal: of what is stored leaves a tombstone and queues the object") {
  store("f");
  auto gone = publish({.kind = 'u', .path = "f"});
  CHECK(gone.code == kStored);
  CHECK(gone.size == -1);
  auto tomb = record("f");
  REQUIRE(tomb);
  CHECK(tomb->tombstone());
  CHECK(tomb->was == 'f');
  CHECK(tomb->etag == "etag-f");
  CHECK(tomb->generation == gone.generation);
  CHECK(due_in(List::Del, "f", volume.delay_ms));
}

TEST_CASE_FIXTURE(VolumeFixture, "removal: of another client's record leaves a tombstone") {
  publish({.path = "f"}, "they");
  CHECK(publish({.kind = 'u', .path = "f"}).code == kStored);
  CHECK(record("f")->tombstone());
}

TEST_CASE_FIXTURE(VolumeFixture, "removal while a PUT is on its way leaves a tombstone") {
  publish({.path = "f"});
  Claim taken = claim("f");
  CHECK(publish({.kind = 'u', .path = "f"}).code == kStored);
  CHECK(finish("f", taken) == Finished::NotDone);
  CHECK(due(List::Del, "f"));
  CHECK(object_row("f").find("etag-f") != std::string::npos);
}

TEST_CASE_FIXTURE(VolumeFixture, "a replayed removal holds only up to its base") {
  auto first = publish({.path = "f"});
  CHECK(publish({.kind = 'j', .path = "f", .base = first.generation - 1}).code == kRefused);
  CHECK(record("f"));
  CHECK(publish({.kind = 'j', .path = "f", .base = first.generation}).code == kUnstored);
  CHECK(publish({.kind = 'j', .path = "f", .base = first.generation}).code == kNothing);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "absence seen by a look: only ours, of this boot, not newer than the counter") {
  auto mine = publish({.path = "f"});
  CHECK(publish({.kind = 'v', .path = "f", .base = mine.generation - 1}).code == kRefused);
  auto other_boot = publish({.path = "g", .boot = "otherone"});
  CHECK(publish({.kind = 'v', .path = "g", .base = other_boot.generation}).code == kRefused);
  auto theirs = publish({.path = "h"}, "they");
  CHECK(publish({.kind = 'v', .path = "h", .base = theirs.generation}).code == kRefused);
  CHECK(publish({.kind = 'v', .path = "f", .base = mine.generation}).code == kUnstored);
}

TEST_CASE_FIXTURE(VolumeFixture, "made again over a tombstone: the deletion is called off") {
  store("f");
  publish({.kind = 'u', .path = "f"});
  CHECK(publish({.path = "f", .id = "2.2.2.2"}).code == kPublished);
  CHECK_FALSE(due(List::Del, "f"));
  CHECK(record("f")->etag == "etag-f");
  CHECK_FALSE(record("f")->tombstone());
}

TEST_CASE_FIXTURE(VolumeFixture, "a file becomes a directory: its object goes") {
  store("x");
  CHECK(publish({.path = "x", .type = 'd', .id = "d.1"}).code == kPublished);
  CHECK(due(List::Del, "x"));
  CHECK_FALSE(due(List::Del, "x/"));
  CHECK(record("x")->type == 'd');
  CHECK(record("x")->etag.empty());
  // And back, before anything was sent.
  CHECK(publish({.path = "x", .type = 'f', .id = "3.3.3.3"}).code == kPublished);
  CHECK_FALSE(due(List::Del, "x"));
  CHECK_FALSE(due(List::Del, "x/"));
}

TEST_CASE_FIXTURE(VolumeFixture, "a rename is two items of one call, with one generation") {
  store("old");
  auto answers = publish_all(
      {{.kind = 'u', .path = "old"}, {.kind = 'c', .path = "dir/new", .id = "1.2.3.5"}});
  CHECK(answers[0].code == kStored);
  CHECK(answers[1].code == kPublished);
  CHECK(answers[0].generation == answers[1].generation);
  CHECK(record("old")->tombstone());
  CHECK(record("dir/new")->staged());
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "generations: beyond 2^53 microseconds they are printed digit by digit") {
  for (uint64_t high :
       {uint64_t{1} << 53, uint64_t{9007199254740992} + 1000000, uint64_t{90071992547409920}}) {
    seen = high;
    auto answer = publish({.path = "f" + std::to_string(high)});
    CHECK(answer.generation >= high);
    CHECK(record("f" + std::to_string(high))->generation == answer.generation);
    CHECK(redis.command({"HGET", volume.meta(), "gen"}).text == std::to_string(answer.generation));
    auto next = publish({.path = "g" + std::to_string(high)});
    CHECK(next.generation >= answer.generation);
  }
  seen = 1795450182119231;
  redis.command({"HSET", volume.meta(), "gen", "1795450182119999"});
  CHECK(text("f").empty());
  publish({.path = "f"});
  CHECK(text("f").find("e+") == std::string::npos);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "generations rise, whatever is higher: the counter, the clock or what was seen") {
  auto first = publish({.path = "a"});
  seen = first.generation + 5000000000;
  auto second = publish({.path = "a", .id = "2"});
  CHECK(second.generation == seen + 1);
  seen = 0;
  CHECK(publish({.path = "a", .id = "3"}).generation == second.generation + 1);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "names with quotes, braces, percent signs, newlines and foreign bytes") {
  for (std::string name : {"a\"b", "a\\b", "%d%s%", "x}{y", "n\nl", "\xff\xfe", "sp ace", "-"}) {
    CAPTURE(name);
    CHECK(publish({.path = "d/" + name}).code == kPublished);
    Claim taken = claim("d/" + name);
    REQUIRE(taken.answer == Claim::Answer::Taken);
    CHECK(finish("d/" + name, taken) == Finished::Done);
    CHECK(publish({.kind = 'u', .path = "d/" + name}).code == kStored);
    DeleteClaim del = claim_delete("d/" + name);
    REQUIRE(del.answer == DeleteClaim::Answer::Taken);
    CHECK(finish_delete("d/" + name, del) == Finished::Done);
    CHECK(text("d/" + name).empty());
  }
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "claim: gives record, generation and date; a second claim is busy") {
  auto answer = publish({.path = "f"});
  Claim taken = claim("f");
  REQUIRE(taken.answer == Claim::Answer::Taken);
  REQUIRE(taken.record);
  CHECK(taken.record->id == "1.2.3.4");
  CHECK(taken.generation == answer.generation);
  CHECK(in_this_case(taken.dated_ms));
  CHECK(claim("f").answer == Claim::Answer::Busy);
  Volume other = volume;
  other.instance = "run2";
  other.client = "they";
  CHECK(object_row("f").find("me/run1/") != std::string::npos);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "a claim whose answer was lost is taken again, with nothing to settle") {
  publish({.path = "f"});
  store("g");
  publish({.kind = 'u', .path = "g"});
  auto idle = [](const std::string&) { return true; };
  REQUIRE(claim("f").answer == Claim::Answer::Taken);
  REQUIRE(claim_delete("g").answer == DeleteClaim::Answer::Taken);
  Claim taken = queue.claim({"f"}, idle).front();
  CHECK(taken.answer == Claim::Answer::Taken);
  CHECK(queue.claim_delete({"g"}, idle).front().answer == DeleteClaim::Answer::Taken);
  CHECK_FALSE(due(List::Settle, "f"));
  CHECK_FALSE(due(List::Settle, "g"));
  CHECK(claim("f").answer == Claim::Answer::Busy);
  CHECK(claim_delete("g").answer == DeleteClaim::Answer::Busy);
  SUBCASE("its end could not be told") {
    CHECK(queue.claim({"f"}, idle).front().answer == Claim::Answer::Taken);
  }
  SUBCASE("its end was told") {
    CHECK(finish("f", taken) == Finished::Done);
    CHECK(object_row("f").empty());
  }
}

TEST_CASE_FIXTURE(VolumeFixture, "an error is no answer to a finish") {
  publish({.path = "f"});
  Claim taken = claim("f");
  SUBCASE("of a Redis that does nothing for anybody: it is told again") {
    Redis beside(test::redis_child().address(), 5000, clock);
    REQUIRE(beside.command({"CONFIG", "SET", "maxmemory", "1"}));
    CHECK(finish("f", taken) == Finished::Away);
    REQUIRE(beside.command({"CONFIG", "SET", "maxmemory", "0"}));
    REQUIRE(redis.connect());
    CHECK(finish("f", taken) == Finished::Done);
  }
  SUBCASE("the command's own: the key is claimed and sent once more") {
    redis.command({"RENAME", volume.object(), "kept"});
    redis.command({"SET", volume.object(), "no hash"});
    CHECK(finish("f", taken) == Finished::Lost);
    redis.command({"RENAME", "kept", volume.object()});
    taken = queue.claim({"f"}, [](const std::string&) { return true; }).front();
    REQUIRE(taken.answer == Claim::Answer::Taken);
    CHECK(finish("f", taken) == Finished::Done);
  }
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "claim: nothing there, a tombstone, another client's, already stored") {
  publish({.path = "f"});
  redis.command({"ZADD", volume.due(), "1", "none", "1", "theirs", "1", "gone"});
  publish({.path = "theirs"}, "they");
  store("gone");
  redis.command({"ZADD", volume.due(), "1", "gone"});
  CHECK(claim("none").answer == Claim::Answer::Gone);
  CHECK(claim("theirs").answer == Claim::Answer::Foreign);
  CHECK(claim("gone").answer == Claim::Answer::Done);
  publish({.kind = 'u', .path = "gone"});
  redis.command({"ZADD", volume.due(), "1", "gone"});
  CHECK(claim("gone").answer == Claim::Answer::Gone);
  for (const char* path : {"none", "theirs", "gone"}) CHECK_FALSE(due(List::Due, path));
  CHECK(due(List::Due, "f"));
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "claim: a directory with entries needs no object; an empty one does") {
  publish_all({{.path = "d", .type = 'd', .id = "d.1"}, {.path = "d/f"}});
  CHECK(claim("d").answer == Claim::Answer::Done);
  CHECK_FALSE(record("d")->staged());
  publish({.kind = 'u', .path = "d/f"});
  REQUIRE(due(List::Due, "d"));
  Claim taken = claim("d");
  REQUIRE(taken.answer == Claim::Answer::Taken);
  CHECK(taken.record->type == 'd');
  CHECK(object_row("d/").find("busy") != std::string::npos);
  CHECK(finish("d", taken, Ending::Ok, 0, 'd') == Finished::Done);
  CHECK(record("d")->etag == "etag-d");
  CHECK(object_row("d/").empty());
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "finish: the record is uploaded, the queue is empty, no object row is left") {
  publish({.path = "f"});
  Claim taken = claim("f");
  CHECK(finish("f", taken) == Finished::Done);
  auto got = record("f");
  CHECK(got->state == RecordState::Uploaded);
  CHECK(got->since_ms == 0);
  CHECK(got->etag == "etag-f");
  CHECK(got->id == "1.2.3.4");
  CHECK(got->size == 5);
  CHECK(got->generation == taken.generation);
  CHECK_FALSE(due(List::Due, "f"));
  CHECK(object_row("f").empty());
  CHECK(text("f").find("staged") == std::string::npos);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "finish: changed meanwhile stays queued, and the store's state is noted") {
  publish({.path = "f"});
  Claim taken = claim("f");
  auto newer = publish({.path = "f", .id = "2.2.2.2"});
  CHECK(finish("f", taken) == Finished::NotDone);
  CHECK(record("f")->generation == newer.generation);
  CHECK(record("f")->staged());
  CHECK(due(List::Due, "f"));
  CHECK(object_row("f") == R"({"etag":"etag-f","gen":)" + std::to_string(taken.generation) + "}");
  Claim again = claim("f");
  REQUIRE(again.answer == Claim::Answer::Taken);
  CHECK(finish("f", again) == Finished::Done);
  CHECK(object_row("f").empty());
}

TEST_CASE_FIXTURE(
    VolumeFixture,
    "finish: not stored comes again after its pause; what the store held before is kept") {
  store("f");
  publish({.path = "f", .id = "2.2.2.2"});
  Claim taken = claim("f");
  CHECK(finish("f", taken, Ending::Fail, 5000) == Finished::NotDone);
  CHECK(due_in(List::Due, "f", 5000));
  CHECK(object_row("f").empty());
  taken = claim("f");
  CHECK(finish("f", taken, Ending::Release, 0) == Finished::NotDone);
  CHECK(due_in(List::Due, "f", 0));
  CHECK(record("f")->etag == "etag-f");
}

TEST_CASE_FIXTURE(
    VolumeFixture,
    "finish: no answer means a look later, and a deletion from now on asks the store") {
  publish({.path = "f"});
  Claim taken = claim("f");
  CHECK(finish("f", taken, Ending::Unknown, 1000) == Finished::NotDone);
  CHECK(due_in(List::Settle, "f", 960000));
  CHECK(due_in(List::Due, "f", 1000));
  CHECK(object_row("f").find(R"("etag":"?")") != std::string::npos);
  CHECK(publish({.kind = 'u', .path = "f"}).code == kStored);
  CHECK(due(List::Del, "f"));
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "finish: removed meanwhile and no answer: the object is queued for deletion") {
  publish({.path = "f"});
  Claim taken = claim("f");
  publish({.kind = 'u', .path = "f"});
  redis.command({"ZREM", volume.del(), "f"});
  CHECK(finish("f", taken, Ending::Unknown) == Finished::NotDone);
  CHECK(due(List::Del, "f"));
  CHECK(due(List::Settle, "f"));
}

TEST_CASE_FIXTURE(
    VolumeFixture,
    "finish: a claim that is no longer ours says so, and the key is looked at later") {
  publish({.path = "f"});
  Claim taken = claim("f");
  redis.command({"HDEL", volume.object(), "f"});
  CHECK(finish("f", taken) == Finished::Lost);
  CHECK(due(List::Settle, "f"));
  CHECK(record("f")->staged());
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "a claim of this client's earlier run is taken over, and settled later") {
  publish({.path = "f"});
  claim("f");
  volume.instance = "run2";
  Claim taken = claim("f");
  CHECK(taken.answer == Claim::Answer::Taken);
  CHECK(due_in(List::Settle, "f", 960000));
  CHECK(finish("f", taken) == Finished::Done);
}

TEST_CASE_FIXTURE(VolumeFixture, "scripts that Redis has forgotten are loaded again") {
  publish({.path = "f"});
  redis.command({"SCRIPT", "FLUSH"});
  CHECK(claim("f").answer == Claim::Answer::Taken);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "a damaged record: no claim is lost in it, publishing repairs it") {
  redis.command({"HSET", volume.dir(""), "f", "{rubbish"});
  redis.command({"ZADD", volume.due(), "1", "f"});
  CHECK(claim("f").answer == Claim::Answer::Gone);
  CHECK(publish({.path = "f"}).code == kPublished);
  CHECK(record("f"));
}

TEST_CASE("Redis away: nothing is answered, and it is found again") {
  test::RedisChild child;
  SystemClock clock;
  Redis redis(child.address(), 1000, clock);
  Volume volume;
  volume.name = "v";
  volume.client = "me";
  Queue queue(redis, volume, clock);
  REQUIRE(queue.size(List::Due) == 0);
  uint64_t connections = redis.connections();
  child.stop();
  CHECK_FALSE(queue.size(List::Due));
  CHECK(queue.claim({"a", "b"}).at(1).answer == Claim::Answer::Away);
  CHECK(queue.settle("a", "") == Settled::Away);
  CHECK_FALSE(redis.trouble().empty());
  child.start();
  for (uint64_t end = clock.now_ms() + 60000; !redis.ready() && clock.now_ms() < end;)
    usleep(10000);
  CHECK(queue.size(List::Due) == 0);
  CHECK(redis.connections() == connections + 1);
  CHECK(redis.trouble().empty());
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "fail: a staged record whose bytes are lost leaves the queue, its object stays") {
  publish({.path = "f"});
  const uint64_t generation = record("f")->generation;
  CHECK_FALSE(queue.fail("f", generation + 1));
  REQUIRE(queue.fail("f", generation));
  CHECK(record("f")->state == RecordState::Failed);
  CHECK_FALSE(due(List::Due, "f"));
  CHECK_FALSE(queue.fail("f", generation));  // not staged any more
  // A new version is an ordinary one.
  publish({.path = "f", .id = "2.2.3.4"});
  CHECK(record("f")->staged());
  CHECK(due(List::Due, "f"));
  publish({.path = "g"}, "they");
  CHECK_FALSE(queue.fail("g", record("g")->generation));
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "publish: what may be torn is recorded as failed, and not queued") {
  publish({.kind = 'h', .path = "f"});
  CHECK(record("f")->state == RecordState::Failed);
  CHECK_FALSE(due(List::Due, "f"));
  // The same file looked at, or replayed from the journal, stays held back.
  publish({.kind = 'l', .path = "f"});
  CHECK(record("f")->state == RecordState::Failed);
  publish({.kind = 'c', .path = "f"});
  CHECK(record("f")->staged());
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "claim: a failed record that somebody queued again is staged again") {
  publish({.kind = 'h', .path = "f"});
  REQUIRE(redis.command({"ZADD", volume.due(), "0", "f"}));
  const Claim claim = queue.claim({"f"}).front();
  CHECK(claim.answer == Claim::Answer::Taken);
  REQUIRE(claim.record);
  CHECK(claim.record->staged());
  CHECK(record("f")->staged());
}
