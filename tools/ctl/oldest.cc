#include "tools/ctl/oldest.h"

#include <sys/stat.h>

#include <algorithm>

#include "core/base/layout.h"
#include "core/util/bytes.h"
#include "core/util/display.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {
namespace {

// What is due within the longest back-off may have been put off by the very trouble.
constexpr uint64_t kPostponedMs = 60'000;

bool lists(const Json& uploader, const char* list, const std::string& path) {
  const Json* found = uploader.find(list);
  if (found == nullptr) return false;
  return std::any_of(found->items().begin(), found->items().end(), [&](const Json& item) {
    return (item.is_text() ? item.text() : item.text_of("path")) == path;
  });
}

bool says(const Json& uploader, const char* part, const char* what) {
  const Json* found = uploader.find(part);
  const Json* value = found != nullptr ? found->find(what) : nullptr;
  return value != nullptr && value->truth();
}

std::string store_text(const Json& store, uint64_t wall_ms) {
  std::string text = "the store is away";
  const uint64_t since = store.number_of("since");
  if (since != 0 && wall_ms > since) text += " for " + human_duration(wall_ms - since);
  const std::string trouble = store.text_of("trouble");
  return trouble.empty() ? text : text + " (" + printable(trouble) + ")";
}

}  // namespace

// What a person can do something about comes first.
Blockage blockage_of(const OldestEntry& entry, const Json& uploader, uint64_t wall_ms) {
  if (entry.redis_away) return {"redis_away", "Redis is away; the journal has the change"};
  if (!entry.dead_class.empty())
    return {"dead_letter", "a dead letter: " + printable(entry.dead_class)};
  if (!uploader.is_object()) return {"no_uploader", "no uploader runs"};
  if (!says(uploader, "redis", "connected"))
    return {"redis_away", "Redis is away for the uploader"};
  if (lists(uploader, "uploads", entry.path)) return {"in_flight", "its upload is under way"};
  if (lists(uploader, "open_paths", entry.path))
    return {"open_for_writing", "somebody has it open for writing"};
  if (entry.due_in_ms > kPostponedMs)
    return {"not_due", "not due yet, in " + human_duration(entry.due_in_ms)};
  if (says(uploader, "store", "away"))
    return {"store_away", store_text(*uploader.find("store"), wall_ms)};
  const Json* hours = uploader.find("upload_hours");
  if (hours != nullptr && !says(uploader, "upload_hours", "open"))
    return {"hours", "uploads wait for their hours, " + printable(hours->text_of("hours")) +
                         " (WBSHIM_UPLOAD_HOURS); shim-ctl flush does not"};
  if (entry.busy) return {"claim", "its key is claimed for a request"};
  if (entry.due_in_ms > 0) return {"not_due", "not due yet, in " + human_duration(entry.due_in_ms)};
  if (entry.settling) return {"claim", "a request for its key went unanswered"};
  return {"queue", "it is next"};
}

std::optional<OldestEntry> oldest_in_journal(const Config& config, uint64_t wall_ms) {
  std::optional<OldestEntry> oldest;
  for_each_journal_line(config, [&](const journal::Line& line) {
    if (oldest && oldest->age_ms > 0) return;
    OldestEntry entry;
    entry.path = to_string(line.path);
    entry.redis_away = true;
    struct stat st = {};
    if (lstat((config.in_staging(layout::kTree) + "/" + entry.path).c_str(), &st) == 0) {
      const uint64_t changed_ms = static_cast<uint64_t>(st.st_ctim.tv_sec) * 1000 +
                                  static_cast<uint64_t>(st.st_ctim.tv_nsec) / 1'000'000;
      entry.age_ms = wall_ms > changed_ms ? wall_ms - changed_ms : 1;
    }
    oldest = std::move(entry);
  });
  return oldest;
}

}  // namespace wbshim::ctl
