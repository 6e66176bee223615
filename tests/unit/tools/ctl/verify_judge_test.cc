#include "tools/ctl/verify_judge.h"

#include <doctest/doctest.h>

using namespace wbshim;
using namespace wbshim::ctl;
using Act = Mend::Act;

namespace {

constexpr uint64_t kGeneration = 1000;
const VerifyRule kRule{"c1", "boot0001", 500};

struct stat file_stat(ino_t inode = 7) {
  struct stat st = {};
  st.st_mode = S_IFREG | 0644;
  st.st_ino = inode;
  st.st_size = 3;
  st.st_mtim.tv_sec = 9;
  return st;
}

// A file that was uploaded, as tree, record and object have it.
Facts uploaded() {
  Facts facts;
  facts.path = "a";
  facts.sight = Sight::Present;
  facts.st = file_stat();
  Record record;
  record.generation = kGeneration;
  record.owner = kRule.client;
  record.id = id_of(facts.st);
  record.etag = "e";
  record.size = 3;
  record.mtime_ns = 9'000'000'000;
  record.mode = 0644;
  record.boot = kRule.boot;
  facts.record = record;
  facts.object.there = facts.object.asked = true;
  facts.object.etag = "e";
  facts.object.size = 3;
  facts.object.meta = {S_IFREG | 0644, 0, 0, 9'000'000'000, kGeneration};
  return facts;
}

Facts staged() {
  Facts facts = uploaded();
  facts.record->state = RecordState::Staged;
  facts.queued = true;
  return facts;
}

Facts without_file(Facts facts) {
  facts.sight = Sight::Absent;
  return facts;
}

Facts without_object(Facts facts) {
  facts.object = {};
  facts.object.asked = true;
  return facts;
}

void check(const Facts& facts, Finding finding, std::optional<Act> act = {}) {
  const Verdict verdict = judge(facts, kRule);
  CHECK(std::string(finding_name(verdict.finding)) == finding_name(finding));
  CHECK(verdict.act == act);
  CHECK(verdict.detail.empty() != wrong(finding));
}

}  // namespace

TEST_CASE("verify: what was uploaded, against its object") {
  check(uploaded(), Finding::Ok);
  check(without_object(uploaded()), Finding::Missing, Act::Again);
  Facts facts = uploaded();
  facts.object.etag = "other";
  check(facts, Finding::Different, Act::Again);
  facts = uploaded();
  facts.object.size = 4;
  check(facts, Finding::Different, Act::Again);
  facts = uploaded();
  facts.object.meta.generation = 1;  // found stored by a repair: the same bytes and attributes
  check(facts, Finding::Ok);
  facts.object.meta.mode = S_IFREG | 0600;
  check(facts, Finding::Different, Act::Again);
}

TEST_CASE("verify: what is under way is no disagreement") {
  for (bool Facts::*flag : {&Facts::busy, &Facts::settling}) {
    Facts facts = without_object(uploaded());
    facts.*flag = true;
    check(facts, Finding::Pending);
    facts = staged();
    facts.queued = false;
    facts.*flag = true;
    check(facts, Finding::Pending);
  }
  check(staged(), Finding::Pending);
  for (bool Facts::*flag : {&Facts::open, &Facts::journalled}) {
    Facts facts = uploaded();
    facts.record.reset();
    facts.*flag = true;
    check(facts, Finding::Pending);
  }
}

TEST_CASE("verify: a file and its record") {
  Facts facts = uploaded();
  facts.record.reset();
  check(facts, Finding::Unrecorded);
  facts = uploaded();
  facts.st = file_stat(8);
  check(facts, Finding::Unrecorded);
  facts = staged();
  facts.queued = false;
  check(facts, Finding::NotQueued, Act::Queue);
  facts = staged();
  facts.dead = "AccessDenied";
  check(facts, Finding::Dead);
  facts = uploaded();
  facts.record->state = RecordState::Failed;
  check(facts, Finding::NotQueued, Act::Again);
  facts = uploaded();
  facts.record.reset();
  facts.damaged = "{";
  check(facts, Finding::Damaged, Act::Forget);
  check(without_file(facts), Finding::Damaged);
  facts = uploaded();
  facts.sight = Sight::Unknown;
  check(facts, Finding::Unreadable);
}

TEST_CASE("verify: absence is evidence only for this boot's records of this tree") {
  check(without_file(uploaded()), Finding::Removed);
  check(without_file(staged()), Finding::Removed);
  for (const bool old_boot : {true, false}) {
    Facts facts = without_file(uploaded());
    if (old_boot) facts.record->boot = "restored";
    if (!old_boot) facts.record->generation = facts.object.meta.generation = kRule.floor;
    check(facts, Finding::StoreOnly);
    check(without_object(facts), Finding::Lost, Act::Lost);
    facts.record->state = RecordState::Staged;
    check(facts, Finding::Lost, Act::Lost);
    facts.busy = true;
    check(facts, Finding::Pending);
    facts.busy = false;
    facts.record->state = RecordState::Failed;
    check(facts, Finding::Lost);
  }
}

TEST_CASE("verify: an object without a record or a file") {
  Facts facts = without_file(uploaded());
  facts.record.reset();
  check(facts, Finding::Stray);
  facts.deleting = true;
  check(facts, Finding::Deleting);
  facts.deleting = false;
  facts.object.meta.generation = kRule.floor;  // older than the tree, which therefore cannot know
  check(facts, Finding::LostRecord, Act::Restore);
  facts.object.meta = {};
  check(facts, Finding::Foreign);
  check(without_object(facts), Finding::Nothing);
}

TEST_CASE(
    "verify: of a file that is in the store only, a newer object of ours is the record's future") {
  Facts facts = without_file(uploaded());
  facts.record->boot = "restored";
  facts.object.etag = "newer";
  facts.object.meta.generation = kGeneration + 1;
  check(facts, Finding::Different, Act::Restore);
  facts.object.meta.generation = kGeneration - 1;
  check(facts, Finding::Different);
}

TEST_CASE("verify: directories") {
  Facts facts = uploaded();
  facts.type = 'd';
  facts.st.st_mode = S_IFDIR | 0755;
  facts.record->type = 'd';
  facts.record->id = id_of(facts.st);
  check(facts, Finding::Ok);
  check(without_object(facts), Finding::Missing, Act::Again);
  facts.filled = true;
  check(without_object(facts), Finding::Ok);  // its entries imply it
  CHECK_FALSE(needs_head([&] {
    Facts unasked = facts;
    unasked.object.asked = false;
    return unasked;
  }()));
}

TEST_CASE("verify: another client's files are its own business") {
  Facts facts = uploaded();
  facts.record->owner = "c2";
  check(without_file(facts), Finding::Ok);
  check(without_object(without_file(facts)), Finding::Lost);
  facts.record->state = RecordState::Staged;
  check(without_file(facts), Finding::Pending);
}
