// The deletion queue and the settle list: their scripts against a real Redis.
#include "core/volume/queue.h"

#include <algorithm>

#include "tests/integration/volume_fixture.h"

using namespace wbshim;
using test::VolumeFixture;

TEST_CASE_FIXTURE(VolumeFixture, "claim_delete: taken, busy, wanted") {
  store("f");
  publish({.kind = 'u', .path = "f"});
  DeleteClaim taken = claim_delete("f");
  REQUIRE(taken.answer == DeleteClaim::Answer::Taken);
  CHECK(taken.generation == record("f")->generation);
  CHECK(in_this_case(taken.dated_ms));
  CHECK(claim_delete("f").answer == DeleteClaim::Answer::Busy);
  store("g");
  redis.command({"ZADD", volume.del(), "1", "g"});
  CHECK(claim_delete("g").answer == DeleteClaim::Answer::Wanted);
  CHECK_FALSE(due(List::Del, "g"));
  // Nothing is recorded at all: the object goes.
  redis.command({"ZADD", volume.del(), "1", "x/"});
  CHECK(claim_delete("x/").answer == DeleteClaim::Answer::Taken);
}

TEST_CASE_FIXTURE(
    VolumeFixture,
    "finish_delete: tombstone and queue entry go; the directory that is empty now is queued") {
  store("d/f");
  publish({.kind = 'u', .path = "d/f"});
  DeleteClaim taken = claim_delete("d/f");
  CHECK(finish_delete("d/f", taken) == Finished::Done);
  CHECK(text("d/f").empty());
  CHECK_FALSE(due(List::Del, "d/f"));
  CHECK(object_row("d/f").empty());
  CHECK(due_in(List::Due, "d", volume.delay_ms));
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "finish_delete: made again meanwhile: nothing is stored under it now") {
  store("f");
  publish({.kind = 'u', .path = "f"});
  DeleteClaim taken = claim_delete("f");
  publish({.path = "f", .id = "2.2.2.2"});
  CHECK(claim("f").answer == Claim::Answer::Busy);
  CHECK(finish_delete("f", taken) == Finished::Done);
  CHECK(record("f")->etag.empty());
  CHECK(record("f")->staged());
  CHECK(claim("f").answer == Claim::Answer::Taken);
}

TEST_CASE_FIXTURE(VolumeFixture, "finish_delete: failed, unanswered, lost") {
  store("f");
  publish({.kind = 'u', .path = "f"});
  DeleteClaim taken = claim_delete("f");
  CHECK(finish_delete("f", taken, Ending::Fail, 3000) == Finished::NotDone);
  CHECK(due_in(List::Del, "f", 3000));
  CHECK(record("f")->tombstone());
  CHECK_FALSE(due(List::Settle, "f"));
  taken = claim_delete("f");
  CHECK(finish_delete("f", taken, Ending::Unknown, 1000) == Finished::NotDone);
  CHECK(due(List::Settle, "f"));
  CHECK(object_row("f").find(R"("etag":"?")") != std::string::npos);
  taken = claim_delete("f");
  redis.command({"HDEL", volume.object(), "f"});
  CHECK(finish_delete("f", taken) == Finished::Lost);
  CHECK(record("f")->tombstone());
}

TEST_CASE_FIXTURE(VolumeFixture, "a deletion and an upload of one key never go at once") {
  store("f");
  publish({.path = "f", .id = "2.2.2.2"});
  Claim taken = claim("f");
  publish({.kind = 'u', .path = "f"});
  CHECK(claim_delete("f").answer == DeleteClaim::Answer::Busy);
  finish("f", taken);
  CHECK(claim_delete("f").answer == DeleteClaim::Answer::Taken);
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "settle: as it should be, another state, nothing there, not wanted, busy") {
  auto listed = [&](const std::string& key) { redis.command({"ZADD", volume.settle(), "1", key}); };
  store("same");
  listed("same");
  CHECK(queue.settle("same", "etag-same") == Settled::Right);
  CHECK_FALSE(due(List::Settle, "same"));
  store("differs");
  listed("differs");
  CHECK(queue.settle("differs", "other") == Settled::Staged);
  CHECK(record("differs")->staged());
  CHECK(due_in(List::Due, "differs", 0));
  Claim again = claim("differs");
  CHECK(again.answer == Claim::Answer::Taken);
  CHECK(finish("differs", again) == Finished::Done);
  store("lost");
  listed("lost");
  CHECK(queue.settle("lost", "") == Settled::Staged);
  publish({.path = "staged"});
  listed("staged");
  CHECK(queue.settle("staged", "whatever") == Settled::Right);
  listed("gone");
  CHECK(queue.settle("gone", "late") == Settled::Deleting);
  CHECK(due(List::Del, "gone"));
  listed("nowhere");
  redis.command({"HSET", volume.object(), "nowhere", R"({"etag":"?","gen":5})"});
  CHECK(queue.settle("nowhere", "") == Settled::Right);
  CHECK(object_row("nowhere").empty());
  publish({.path = "busy"});
  claim("busy");
  listed("busy");
  CHECK(queue.settle("busy", "x") == Settled::Postponed);
  CHECK(due(List::Settle, "busy"));
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "the queue: earliest first, pages, postponing only what is listed") {
  for (int i = 0; i < 50; i++) {
    redis.command({"ZADD", volume.due(), std::to_string(1000 + i), "p" + std::to_string(i)});
  }
  auto first = queue.first(List::Due, 3);
  REQUIRE(first);
  REQUIRE(first->size() == 3);
  CHECK(first->at(0).member == "p0");
  CHECK(first->at(2).due_ms == 1002);
  CHECK(queue.page(List::Due, 48, 10)->size() == 2);
  CHECK(queue.size(List::Due) == 50);
  CHECK(in_this_case(queue.now_ms()));
  std::vector<std::string> some;
  some.reserve(46);
  for (int i = 0; i < 45; i++) some.push_back("p" + std::to_string(i));
  some.push_back("not there");
  CHECK(queue.postpone(List::Due, some, 5000));
  CHECK(queue.first(List::Due, 1)->at(0).member == "p45");
  CHECK(queue.size(List::Due) == 50);
  CHECK(due_in(List::Due, "p7", 5000));
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "what is listed below a path, whatever its name means to a pattern") {
  for (const char* key : {"a*/x", "a*/y/z", "ab/x", "a*", "a*/"})
    redis.command({"ZADD", volume.del(), "1", key});
  auto below = queue.below(List::Del, "a*");
  std::sort(below.begin(), below.end());
  CHECK(below == std::vector<std::string>{"a*/", "a*/x", "a*/y/z"});
}

TEST_CASE_FIXTURE(VolumeFixture,
                  "renew: a claim of ours gets a new time, once the record is as claimed") {
  publish({.path = "f", .now = true});
  const Claim claim = queue.claim({"f"}).front();
  REQUIRE(claim.answer == Claim::Answer::Taken);
  const std::string before = object_row("f");
  Claim renewed = queue.renew("f", "f", claim.generation);
  // Redis' clock goes on; at most that of a few thousand round trips.
  for (int i = 0; i < 10000 && renewed.dated_ms == claim.dated_ms; i++)
    renewed = queue.renew("f", "f", claim.generation);
  CHECK(renewed.answer == Claim::Answer::Taken);
  CHECK(renewed.dated_ms > claim.dated_ms);
  CHECK(object_row("f") != before);
  CHECK(object_row("f").size() == before.size());
  CHECK(queue.renew("f", "f", claim.generation + 1).answer == Claim::Answer::Busy);
  publish({.path = "f", .id = "2.2.2.2"});
  CHECK(queue.renew("f", "f", claim.generation).answer == Claim::Answer::Done);
  queue.finish({{"f", "f", claim.generation, Ending::Release, {}, 0}});
  CHECK(queue.renew("f", "f", claim.generation).answer == Claim::Answer::Busy);
}
