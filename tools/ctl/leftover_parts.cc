#include "tools/ctl/leftover_parts.h"

#include <memory>

#include "core/util/clock.h"

namespace wbshim::ctl {
namespace {

constexpr uint64_t kAnswer_ms = 60000;

// Runs the store until `answered`. False: it took too long.
bool wait_for(Store& store, const bool& answered) {
  SystemClock clock;
  std::vector<Store::Extra> none;
  const uint64_t end_ms = clock.now_ms() + kAnswer_ms;
  while (!answered && clock.now_ms() < end_ms) store.poll(none, 100);
  return answered;
}

// Ids of all clients' uploads in parts, as their notes end with them.
bool known_ids(VolumeLink& link, std::set<std::string>* known) {
  const Reply rows = link.redis().command({"HVALS", link.volume().parts()});
  for (const Reply& row : rows.items) {
    const size_t space = row.text.rfind(' ');
    if (space != std::string::npos) known->insert(row.text.substr(space + 1));
  }
  return static_cast<bool>(rows);
}

std::string abort(Store& store, PartsStore& parts, const PartsUpload& upload) {
  struct Answer {
    bool given = false;
    StoreResult result;
  };
  const auto answer = std::make_shared<Answer>();
  parts.abort(upload, [answer](StoreResult result) {
    answer->given = true;
    answer->result = std::move(result);
  });
  if (!wait_for(store, answer->given)) return "the store does not answer";
  return answer->result.outcome == StoreOutcome::Stored ? "" : answer->result.message;
}

}  // namespace

bool is_leftover(const OpenUpload& open, const std::set<std::string>& known, uint64_t now_ms) {
  return open.begun_ms > 0 && open.begun_ms + kLeftoverAge_ms < now_ms &&
         known.count(open.upload.id) == 0;
}

std::string check_leftover_parts(VolumeLink& link, Store& store, bool mend, VerifyReport& report) {
  PartsStore* parts = store.parts();
  if (parts == nullptr) return {};
  struct Answer {
    bool given = false;
    OpenUploads found;
  };
  const auto answer = std::make_shared<Answer>();
  parts->list_uploads([answer](OpenUploads found) {
    answer->given = true;
    answer->found = std::move(found);
  });
  if (!wait_for(store, answer->given)) return "the store does not list its uploads in parts";
  if (answer->found.outcome != StoreOutcome::Stored) return answer->found.message;
  std::set<std::string> known;
  if (!known_ids(link, &known)) return "Redis went away";
  const uint64_t now_ms = SystemClock().wall_ms();
  for (const OpenUpload& open : answer->found.uploads) {
    if (!is_leftover(open, known, now_ms)) continue;
    std::string failure = mend ? abort(store, *parts, open.upload) : std::string();
    if (!failure.empty()) return failure;
    report.tell(
        open.upload.key,
        {Finding::LeftoverParts, "begun more than a day ago, and nobody will finish it", {}},
        mend ? "aborted" : "");
  }
  return {};
}

}  // namespace wbshim::ctl
