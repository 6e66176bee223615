#include "tools/uploader/scan_rule.h"

#include "core/base/record.h"

namespace wbshim {
namespace {

int64_t changed_ns(const struct stat& st) {
  return int64_t{st.st_ctim.tv_sec} * 1000000000 + st.st_ctim.tv_nsec;
}

ScanAction of_present(const ScanRule& rule, const struct stat& st,
                      const std::optional<Record>& record) {
  bool recorded = record && !record->tombstone();
  if (recorded && record->owner != rule.client) return ScanAction::Nothing;
  if (recorded && matches(*record, st)) {
    bool doubtful = record->staged() && record->boot != rule.boot && S_ISREG(st.st_mode) &&
                    rule.suspicion.covers(st);
    return doubtful ? ScanAction::Inspect : ScanAction::Nothing;
  }
  if (!S_ISREG(st.st_mode)) return ScanAction::Look;
  // A later change has a later ctime. This is an earlier state than the one that was recorded, so
  // the record's bytes did not reach the disk.
  bool earlier = recorded && record->type == 'f' && record->boot != rule.boot &&
                 changed_ns(st) <= ctime_of(*record);
  if (earlier) return ScanAction::Quarantine;
  return rule.suspicion.covers(st) ? ScanAction::Hold : ScanAction::Look;
}

ScanAction of_absent(const ScanRule& rule, const Record& record) {
  if (record.owner != rule.client) return ScanAction::Nothing;
  bool removed = record.boot == rule.boot && record.generation <= rule.counter &&
                 record.generation > rule.floor;
  if (removed) return ScanAction::Vanished;
  if (!record.staged()) return ScanAction::Nothing;
  if (rule.durable && record.generation > rule.floor && record.etag.empty())
    return ScanAction::Removed;
  bool other_tree = record.boot != rule.boot || record.generation <= rule.floor;
  return record.type == 'f' && other_tree ? ScanAction::Lost : ScanAction::Nothing;
}

}  // namespace

bool Suspicion::covers(const struct stat& st) const {
  return changed_ns(st) >= from_ns && changed_ns(st) < until_ns;
}

ScanAction decide(const ScanRule& rule, Sight sight, const struct stat& st,
                  const std::optional<Record>& record) {
  // A FIFO, a socket or a device is never recorded: a record under its name is of what was there
  // before.
  if (sight == Sight::Present && record::type_of(st.st_mode)) return of_present(rule, st, record);
  if (sight == Sight::Unknown || !record || record->tombstone()) return ScanAction::Nothing;
  return of_absent(rule, *record);
}

}  // namespace wbshim
