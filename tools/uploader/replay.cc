#include "tools/uploader/replay.h"

#include <algorithm>

#include "core/base/fault.h"
#include "core/base/layout.h"
#include "core/util/bytes.h"
#include "core/util/log.h"
#include "tools/uploader/content.h"

namespace wbshim {
namespace {

constexpr size_t kLinesAtOnce = 512;
constexpr uint64_t kHeldMs = 500;

}  // namespace

std::vector<Notice> merge_lines(const std::vector<JournalLine>& lines) {
  std::vector<Notice> notices;
  std::map<std::string, size_t> at;
  for (const JournalLine& line : lines) {
    auto [found, fresh] = at.emplace(line.path, notices.size());
    if (fresh) notices.emplace_back().path = line.path;
    Notice& notice = notices[found->second];
    notice.acted = true;
    bool moved = line.kind == journal::Kind::Moved || line.kind == journal::Kind::Tree;
    if (line.kind == journal::Kind::Removed || moved) {
      notice.moved = moved && (notice.moved || !notice.removed);
      notice.removed = true;
      notice.base = std::max(notice.base, line.base);
    } else {
      notice.made = true;
    }
  }
  return notices;
}

Replay::Replay(Context& context, Scan& scan)
    : context_(context), scan_(scan), reader_(context.config.in_staging(layout::kJournalDir)) {}

bool Replay::publish(const std::vector<JournalLine>& lines) {
  std::vector<JournalLine> plain;
  for (const JournalLine& line : lines) {
    if (line.kind == journal::Kind::Held) {
      held_.emplace(line.path, line.base);
    } else {
      plain.push_back(line);
      if (line.kind == journal::Kind::Tree)
        trees_[line.path] = std::max(trees_[line.path], line.base);
    }
  }
  return context_.publisher.publish(merge_lines(plain));
}

bool Replay::step() {
  if (!context_.redis.ready()) return false;
  if (!trees_.empty()) return step_trees();
  const std::vector<JournalLine>& lines = reader_.next(kLinesAtOnce);
  if (reader_.damaged() != damaged_seen_) {
    context_.tally.lines_damaged += reader_.damaged() - damaged_seen_;
    damaged_seen_ = reader_.damaged();
    log_warn("the journal has damaged lines: the whole tree is looked at instead");
    scan_.request();
  }
  if (lines.empty()) return false;
  WBSHIM_FAULT(JournalRead);
  if (!publish(lines)) return false;
  WBSHIM_FAULT(JournalPublished);
  context_.tally.lines_replayed += lines.size();
  reader_.acknowledge();
  return true;
}

bool Replay::step_trees() {
  // A part of a scan: the same walk, from there down, where absence is our own act.
  auto first = trees_.begin();
  if (!scan_.walk(first->first, first->second)) return false;
  trees_.erase(first);
  return true;
}

void Replay::step_held() {
  if (held_.empty() || context_.clock.now_ms() < look_at_held_ms_) return;
  look_at_held_ms_ = context_.clock.now_ms() + kHeldMs;
  if (!context_.redis.ready()) return;
  std::vector<Notice> notices;
  for (const auto& [path, base] : held_) {
    if (look_at(context_.tree, path, context_.writers).outcome == ReadOutcome::Writing) continue;
    notices.emplace_back().path = path;
    notices.back().acted = true;
  }
  if (notices.empty() || !context_.publisher.publish(notices)) return;
  for (const Notice& notice : notices) held_.erase(notice.path);
}

bool Replay::put_back() {
  std::string file = context_.config.in_staging(layout::kJournal);
  bool all = true;
  auto append = [&](journal::Kind kind, uint64_t base, const std::string& path) {
    journal::Line line;
    line.kind = kind;
    line.base = base;
    line.path = bytes(path);
    all = journal::append(file.c_str(), line) && all;
  };
  for (const JournalLine& line : reader_.unsaved()) append(line.kind, line.base, line.path);
  for (const auto& [path, base] : held_) append(journal::Kind::Held, base, path);
  for (const auto& [path, base] : trees_) append(journal::Kind::Tree, base, path);
  return all;
}

}  // namespace wbshim
