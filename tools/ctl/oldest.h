// The entry that waits longest for its upload, and what keeps it waiting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/util/config.h"
#include "core/util/json.h"

namespace wbshim::ctl {

// As Redis has it, or, while that is away, the journal.
struct OldestEntry {
  std::string path;
  uint64_t age_ms = 0;      // since its first unsaved close
  uint64_t due_in_ms = 0;   // 0: it is due
  std::string dead_class;   // of its dead letter; empty: it is none
  bool busy = false;        // a request for its key is under way, or was when an uploader died
  bool settling = false;    // one went unanswered, and is looked after
  bool redis_away = false;  // it is known from the journal only
};

struct Blockage {
  std::string by;  // in JSON: "not_due", "open_for_writing", "store_away", "redis_away",
      // "dead_letter", "hours", "claim", "in_flight", "no_uploader", or "queue": it is next
  std::string text;  // for people
};
// uploader: its own document (STATUS); null when there is none.
Blockage blockage_of(const OldestEntry& entry, const Json& uploader, uint64_t wall_ms);

// The first line of the journal, aged by its file; nothing when there is none.
std::optional<OldestEntry> oldest_in_journal(const Config& config, uint64_t wall_ms);

}  // namespace wbshim::ctl
