#include "tools/ctl/verify_judge.h"

#include "core/base/record.h"
#include "core/util/display.h"

namespace wbshim::ctl {
namespace {

struct Name {
  const char* json;
  const char* title;
};
constexpr Name kNames[] = {
    {"nothing", "nothing"},
    {"ok", "ok"},
    {"store_only", "in the store only"},
    {"pending", "pending"},
    {"deleting", "to be deleted"},
    {"already_stored", "found stored already"},
    {"missing_object", "missing object"},
    {"different_object", "different object"},
    {"unrecorded_file", "unrecorded file"},
    {"record_without_file", "record without file"},
    {"lost", "lost"},
    {"not_queued", "not queued"},
    {"lost_record", "lost record"},
    {"stray_object", "stray object"},
    {"foreign_object", "foreign object"},
    {"dead_letter", "dead letter"},
    {"damaged_record", "damaged record"},
    {"unreadable", "unreadable"},
    {"quarantined", "quarantined"},
    {"leftover_parts", "leftover parts"},
};
static_assert(std::size(kNames) == static_cast<size_t>(Finding::kCount));

std::string version(uint64_t generation) {
  return generation == 0 ? "unknown generation" : "generation " + std::to_string(generation);
}

bool under_way(const Facts& facts) {
  return facts.busy || facts.settling;
}

bool ours(const Facts& facts, const VerifyRule& rule) {
  return facts.record && facts.record->owner == rule.client;
}

// The absence of the file says that it was removed (PROTOCOL.md 1.2).
bool absence_counts(const Facts& facts, const VerifyRule& rule) {
  return ours(facts, rule) && facts.record->boot == rule.boot &&
         facts.record->generation > rule.floor;
}

// An object without a record or a file.
Verdict judge_orphan(const Facts& facts, const VerifyRule& rule) {
  if (!facts.object.there) return {Finding::Nothing, {}, {}};
  if (facts.deleting || under_way(facts)) return {Finding::Deleting, {}, {}};
  const uint64_t generation = facts.object.meta.generation;
  if (generation == 0 || facts.object.meta.mode == 0)
    return {Finding::Foreign, "wbshim did not write it, and does not touch it", {}};
  if (generation <= rule.floor) {
    return {Finding::LostRecord,
            "the store has " + version(generation) +
                ", older than the staging tree, and Redis knows nothing of it",
            Mend::Act::Restore};
  }
  return {Finding::Stray, "its file is gone from the tree, and its record from Redis", {}};
}

// A record as uploaded, and its object.
Verdict judge_uploaded(const Facts& facts, const VerifyRule& rule, bool present) {
  const Record& record = *facts.record;
  const bool local = present && ours(facts, rule);
  const auto fine = [&]() -> Verdict {
    if (present || !ours(facts, rule)) return {Finding::Ok, {}, {}};
    if (!absence_counts(facts, rule)) return {Finding::StoreOnly, {}, {}};
    return {Finding::Removed, "the next scan records the removal and deletes the object", {}};
  };
  if (record.type == 'd' && facts.filled) return fine();
  if (facts.object.there && same_object(record, facts.object, false)) return fine();
  if (under_way(facts) || facts.queued) return {Finding::Pending, {}, {}};
  if (!facts.object.there) {
    if (record.type == 'd' && !local) return fine();
    if (local) return {Finding::Missing, "the record says that it is uploaded", Mend::Act::Again};
    return {Finding::Lost, "neither the tree nor the store has it",
            ours(facts, rule) ? std::optional(Mend::Act::Lost) : std::nullopt};
  }
  const std::string detail = "recorded is " + version(record.generation) + ", ETag " +
                             printable(record.etag) + ", stored is " +
                             version(facts.object.meta.generation) + ", ETag " +
                             printable(facts.object.etag);
  if (local) return {Finding::Different, detail, Mend::Act::Again};
  // Without a local copy the store has the only one: a newer one of ours is what the record missed.
  if (facts.object.meta.generation > record.generation && facts.object.meta.mode != 0)
    return {Finding::Different, detail, Mend::Act::Restore};
  return {Finding::Different, detail + "; no local copy is there to mend it", {}};
}

Verdict judge_absent(const Facts& facts, const VerifyRule& rule) {
  if (!facts.record || facts.record->tombstone()) return judge_orphan(facts, rule);
  const Record& record = *facts.record;
  if (facts.journalled) return {Finding::Pending, {}, {}};
  if (record.state == RecordState::Uploaded) return judge_uploaded(facts, rule, false);
  if (!ours(facts, rule)) return {Finding::Pending, {}, {}};
  const std::string older =
      facts.object.there ? "; the store has an older " + version(facts.object.meta.generation) : "";
  if (record.state == RecordState::Failed)
    return {Finding::Lost, "its last version was never stored" + older, {}};
  if (facts.busy) return {Finding::Pending, {}, {}};
  if (absence_counts(facts, rule))
    return {Finding::Removed, "the next scan records the removal", {}};
  return {Finding::Lost, "it was not stored when the staging tree was lost" + older,
          Mend::Act::Lost};
}

}  // namespace

const char* finding_name(Finding finding) {
  return kNames[static_cast<size_t>(finding)].json;
}

const char* finding_title(Finding finding) {
  return kNames[static_cast<size_t>(finding)].title;
}

bool same_attributes(const ObjectMeta& meta, const struct stat& st) {
  const int64_t mtime = int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
  return meta.mode == st.st_mode && meta.uid == st.st_uid && meta.gid == st.st_gid &&
         (S_ISDIR(st.st_mode) || meta.mtime_ns == mtime);
}

bool same_object(const Record& record, const StoredObject& object, bool quick) {
  if (record.etag.empty() || record.etag != object.etag) return record.type == 'd' && object.there;
  if (record.type == 'f' && record.size != object.size) return false;
  if (quick || !object.asked || object.meta.mode == 0) return true;
  if (object.meta.generation == record.generation || record.type == 'd') return true;
  // Another version with the same bytes, and the same attributes: found stored by a repair.
  const uint32_t mode = object.meta.mode & 07777;
  return (record.type == 'l' || mode == record.mode) && object.meta.uid == record.uid &&
         object.meta.gid == record.gid && object.meta.mtime_ns == record.mtime_ns;
}

bool needs_head(const Facts& facts) {
  if (facts.object.asked) return false;
  const Record* record = facts.record && !facts.record->tombstone() ? &*facts.record : nullptr;
  return !(record && record->type == 'd' && facts.filled);
}

Verdict judge(const Facts& facts, const VerifyRule& rule) {
  if (facts.sight == Sight::Unknown)
    return {Finding::Unreadable, "the staging tree does not let it be looked at", {}};
  const char there = facts.sight == Sight::Present ? record::type_of(facts.st.st_mode) : '\0';
  const bool present = there != '\0' && (there == 'd') == (facts.type == 'd');
  if (!facts.damaged.empty()) {
    return {Finding::Damaged, "its record in Redis cannot be read",
            present ? std::optional(Mend::Act::Forget) : std::nullopt};
  }
  const bool live = facts.record && !facts.record->tombstone();
  const bool mine = live && (facts.record->type == 'd') == (facts.type == 'd');
  if (live && !mine && !present) {
    // The name is something else by now; an object of the earlier kind waits for its deletion.
    Facts orphan = facts;
    orphan.record.reset();
    return judge_orphan(orphan, rule);
  }
  if (!present) return judge_absent(facts, rule);
  if (live && facts.record->owner != rule.client) return {Finding::Pending, {}, {}};
  if (!mine || !matches(*facts.record, facts.st)) {
    if (facts.open || facts.journalled) return {Finding::Pending, {}, {}};
    return {Finding::Unrecorded,
            live ? "it has changed since it was recorded" : "Redis knows nothing of it",
            {}};
  }
  if (facts.record->state == RecordState::Uploaded) return judge_uploaded(facts, rule, true);
  if (facts.record->state == RecordState::Failed)
    return {Finding::NotQueued, "recorded as lost, but the file is here", Mend::Act::Again};
  if (!facts.dead.empty())
    return {Finding::Dead, printable(facts.dead) + "; `shim-ctl status` says what helps", {}};
  if (under_way(facts) || facts.queued) return {Finding::Pending, {}, {}};
  return {Finding::NotQueued, "it waits for its upload, but no queue has it", Mend::Act::Queue};
}

}  // namespace wbshim::ctl
