#include "tools/uploader/scan_rule.h"

#include <doctest/doctest.h>

#include "tools/uploader/tree_id.h"
#include "tools/uploader/volume_mark.h"

using namespace wbshim;

namespace {

const ScanRule kRule{"me", "boot", 100, 10, {}, false};

struct stat file() {
  struct stat st = {};
  st.st_mode = S_IFREG | 0644;
  st.st_ino = 5;
  return st;
}

Record ours(uint64_t generation = 50) {
  Record record;
  record.generation = generation;
  record.owner = "me";
  record.id = id_of(file());
  record.boot = "boot";
  return record;
}

ScanAction absent(const Record& record) {
  return decide(kRule, Sight::Absent, file(), record);
}
ScanAction present(const std::optional<Record>& record) {
  return decide(kRule, Sight::Present, file(), record);
}

}  // namespace

TEST_CASE("what is there and recorded as it is needs nothing") {
  CHECK(present(ours()) == ScanAction::Nothing);
  Record other = ours();
  other.id = "something else";
  CHECK(present(other) == ScanAction::Look);
  other = ours();
  other.type = 'd';
  CHECK(present(other) == ScanAction::Look);
}

TEST_CASE("what is there and not recorded, or recorded as removed, is published") {
  CHECK(present(std::nullopt) == ScanAction::Look);
  Record gone = ours();
  gone.type = 'x';
  CHECK(present(gone) == ScanAction::Look);
}

TEST_CASE("another client's record is left alone") {
  Record theirs = ours();
  theirs.owner = "they";
  theirs.id = "else";
  CHECK(present(theirs) == ScanAction::Nothing);
  CHECK(absent(theirs) == ScanAction::Nothing);
}

TEST_CASE("pipes, sockets and devices are never recorded") {
  for (mode_t type : {mode_t{S_IFIFO}, mode_t{S_IFSOCK}, mode_t{S_IFCHR}, mode_t{S_IFBLK}}) {
    struct stat st = file();
    st.st_mode = type | 0644;
    CHECK(decide(kRule, Sight::Present, st, std::nullopt) == ScanAction::Nothing);
    CHECK(decide(kRule, Sight::Present, st, ours()) == ScanAction::Vanished);
  }
}

TEST_CASE(
    "absence is evidence only of our own record, of this boot, not newer than the counter, not "
    "older than the tree") {
  CHECK(absent(ours()) == ScanAction::Vanished);
  CHECK(absent(ours(100)) == ScanAction::Vanished);
  CHECK(absent(ours(101)) == ScanAction::Nothing);
  CHECK(absent(ours(11)) == ScanAction::Vanished);
  CHECK(absent(ours(10)) == ScanAction::Nothing);
  Record reboot = ours();
  reboot.boot = "other";
  CHECK(absent(reboot) == ScanAction::Nothing);
  Record gone = ours();
  gone.type = 'x';
  CHECK(absent(gone) == ScanAction::Nothing);
  CHECK(decide(kRule, Sight::Absent, file(), std::nullopt) == ScanAction::Nothing);
}

TEST_CASE("an unknown sight is no evidence of anything") {
  CHECK(decide(kRule, Sight::Unknown, file(), ours()) == ScanAction::Nothing);
  CHECK(decide(kRule, Sight::Unknown, file(), std::nullopt) == ScanAction::Nothing);
}

TEST_CASE("the tree's note: identity and floor") {
  CHECK(parse_tree_note("12.5.6 1795450182119231").identity == "12.5.6");
  CHECK(parse_tree_note("12.5.6 1795450182119231").floor == 1795450182119231ULL);
  for (const char* text : {"", " ", " 5", "12.5.6"}) CHECK(parse_tree_note(text).identity.empty());
}

TEST_CASE("the store's mark: ours, another's, or unreadable") {
  CHECK(foreign_mark(R"({"volume":"v","epoch":"e","format":"1"})", "v", "e").empty());
  CHECK(foreign_mark(R"({"volume":"w","epoch":"e"})", "v", "e").find("'w'") != std::string::npos);
  CHECK(foreign_mark(R"({"volume":"v","epoch":"f"})", "v", "e").find("epoch f") !=
        std::string::npos);
  CHECK_FALSE(foreign_mark("", "v", "e").empty());
  CHECK_FALSE(foreign_mark("[]", "v", "e").empty());
}

namespace {

constexpr int64_t kSecond = 1000000000;

struct stat changed_at(int64_t seconds) {
  struct stat st = file();
  st.st_ctim.tv_sec = seconds;
  return st;
}

// Of an earlier boot, staged, made of a file changed then.
Record earlier(int64_t seconds) {
  Record record = ours();
  record.boot = "before";
  record.state = RecordState::Staged;
  struct stat st = changed_at(seconds);
  st.st_size = 100;
  record.id = id_of(st);
  return record;
}

ScanRule after_power_loss(bool durable = false) {
  ScanRule rule = kRule;
  rule.suspicion = {50 * kSecond, 200 * kSecond};
  rule.durable = durable;
  return rule;
}

}  // namespace

TEST_CASE("an earlier state than the recorded one, after a reboot, goes into quarantine") {
  const auto judge = [](int64_t disk, const Record& record) {
    return decide(after_power_loss(), Sight::Present, changed_at(disk), record);
  };
  CHECK(judge(100, earlier(150)) == ScanAction::Quarantine);
  CHECK(judge(150, earlier(150)) == ScanAction::Quarantine);  // another size
  CHECK(judge(151, earlier(150)) == ScanAction::Hold);        // changed since, and perhaps torn
  CHECK(judge(201, earlier(150)) == ScanAction::Look);        // changed after the reboot
  Record now = earlier(150);
  now.boot = "boot";
  CHECK(judge(201, now) == ScanAction::Look);
}

TEST_CASE("one that is as recorded is looked into, when its bytes may not have reached the disk") {
  Record record = earlier(150);
  record.id = id_of(changed_at(150));
  const auto judge = [&](const ScanRule& rule) {
    return decide(rule, Sight::Present, changed_at(150), record);
  };
  CHECK(judge(after_power_loss()) == ScanAction::Inspect);
  CHECK(judge(kRule) == ScanAction::Nothing);  // no power loss, or a tier that waits for the disk
  record.state = RecordState::Uploaded;
  CHECK(judge(after_power_loss()) == ScanAction::Nothing);
}

TEST_CASE("what nobody recorded is held back when it was changed just before the power went") {
  const auto judge = [](int64_t disk) {
    return decide(after_power_loss(), Sight::Present, changed_at(disk), std::nullopt);
  };
  CHECK(judge(49) == ScanAction::Look);
  CHECK(judge(50) == ScanAction::Hold);
  CHECK(judge(199) == ScanAction::Hold);
  CHECK(judge(200) == ScanAction::Look);
}

TEST_CASE("a staged file of an earlier boot that is gone is lost, or was removed") {
  const auto judge = [](const Record& record, bool durable) {
    return decide(after_power_loss(durable), Sight::Absent, {}, record);
  };
  CHECK(judge(earlier(150), false) == ScanAction::Lost);
  CHECK(judge(earlier(150), true) == ScanAction::Removed);
  Record stored = earlier(150);
  stored.etag = "e";  // its object must not follow a guess
  CHECK(judge(stored, true) == ScanAction::Lost);
  stored.state = RecordState::Uploaded;
  CHECK(judge(stored, true) == ScanAction::Nothing);
  Record old_tree = earlier(150);
  old_tree.generation = 10;  // of a tree that was replaced
  CHECK(judge(old_tree, true) == ScanAction::Lost);
}
