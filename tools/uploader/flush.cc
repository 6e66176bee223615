#include "tools/uploader/flush.h"

#include <algorithm>

#include "core/base/record.h"
#include "core/util/ascii.h"
#include "core/util/display.h"
#include "core/util/json.h"
#include "core/volume/identity.h"

namespace wbshim {
namespace {

constexpr uint64_t kLookMs = 200;
constexpr uint64_t kSayMs = 500;
constexpr uint64_t kPauseMs = 10000;     // longest pause between two of them
constexpr unsigned kStoreFailures = 10;  // failures in a row, of anything: the store is away
constexpr uint64_t kRedisMs = 30000;     // Redis away for so long: no answer will come
constexpr size_t kPage = 1000;
constexpr size_t kMostDead = 10000;
constexpr unsigned kScans = 8;    // so often Redis may lose its memory under us
constexpr unsigned kRounds = 64;  // of directories that became empty

}  // namespace

Flush::Flush(Context& context, Parts parts, uint64_t timeout_ms)
    : context_(context), parts_(parts) {
  uint64_t now = context.clock.now_ms();
  deadline_ms_ = timeout_ms == 0 || timeout_ms > UINT64_MAX - now ? UINT64_MAX : now + timeout_ms;
  said_at_ms_ = redis_seen_ms_ = now;
}

// Everything in a list, and all of it due now.
bool Flush::snapshot_list(List list) {
  for (size_t at = 0;; at += kPage) {
    auto page = context_.queue.page(list, at, kPage);
    if (!page) return false;
    for (const QueueEntry& entry : *page) list_.of(list).try_emplace(entry.member);
    if (page->size() < kPage) return true;
  }
}

bool Flush::size_up() {
  FlushEntries& uploads = list_.of(List::Due);
  std::vector<std::string> paths;
  auto ask = [&] {
    bool away = false;
    auto records = context_.queue.records(paths, &away);
    if (away) return false;
    for (size_t i = 0; i < paths.size(); i++) {
      if (records[i] && records[i]->type == 'f') uploads[paths[i]].size = records[i]->size;
    }
    paths.clear();
    return true;
  };
  for (const auto& [path, entry] : uploads) {
    paths.push_back(path);
    if (paths.size() == kPage && !ask()) return false;
  }
  return ask();
}

bool Flush::snapshot() {
  list_.clear();
  if (!snapshot_list(List::Due) || !snapshot_list(List::Del) || !size_up()) return false;
  list_.count();
  return true;
}

// No longer queued: done if the record says so. Otherwise Redis has lost the queue, or the record.
void Flush::left_queue(const std::vector<std::string>& names) {
  bool away = false;
  std::vector<std::optional<Record>> records = context_.queue.records(names, &away);
  if (away || records.size() != names.size()) return;  // asked again
  std::vector<Notice> unknown;
  for (size_t i = 0; i < names.size(); i++) {
    bool known = records[i] && !records[i]->tombstone();
    struct stat st = {};
    if (known && records[i]->staged() && records[i]->owner == context_.volume.client) {
      context_.redis.command({"ZADD", context_.volume.due(), "NX", "0", names[i]});
    } else if (!known && context_.tree.look(names[i], &st) == Sight::Present &&
               record::type_of(st.st_mode)) {
      // Mostly made again just now. It is stored with the rest; what else may be lost, a scan tells.
      lost_ = true;
      unknown.emplace_back().path = names[i];
    } else {
      list_.stored(List::Due, names[i]);
    }
  }
  if (!unknown.empty()) context_.publisher.publish(unknown);
}

// Directories that became empty by what was done here want an object of their own. True: some were
// taken up. Nothing: Redis did not say.
std::optional<bool> Flush::add_parents() {
  std::vector<std::string> names;
  bool added = false, answered = true;
  auto ask = [&] {
    std::vector<std::optional<uint64_t>> times = context_.queue.due_times(List::Due, names);
    if (times.size() != names.size()) answered = false;
    for (size_t i = 0; i < times.size(); i++) {
      if (times[i] && list_.add(names[i])) added = true;
    }
    names.clear();
  };
  std::set<std::string> parents = list_.take_parents();
  for (const std::string& name : parents) {
    names.push_back(name);
    if (names.size() == kPage) ask();
  }
  if (!names.empty()) ask();
  if (answered) return added;
  list_.add_parents(parents);
  return std::nullopt;
}

void Flush::begin_scan() {
  // One that begins from now on.
  scan_wanted_ = parts_.scan.begun() + 1;
  parts_.scan.request();
  losses_seen_ = parts_.scan.losses();
  lost_ = forgotten_ = false;
  scans_++;
  (void)list_.take_parents();
  stage_ = Stage::Scanning;
}

// Nothing waits any more. True: and that is all.
bool Flush::complete() {
  if (rounds_ < kRounds) {
    std::optional<bool> added = add_parents();
    if (!added) return false;
    if (*added) {
      rounds_++;
      hasten_at_ms_ = 0;
      return false;
    }
  }
  Reply epoch = context_.redis.command({"HGET", context_.volume.meta(), "epoch"});
  if (!epoch) return false;
  forgotten_ = epoch.nil() || parts_.scan.losses() != losses_seen_;
  if ((forgotten_ || lost_) && scans_ < kScans) {
    begin_scan();
    return false;
  }
  return true;
}

// Makes due what is not, and drops what is no longer queued: somebody else has dealt with it.
void Flush::hasten(List list) {
  FlushEntries& entries = list_.of(list);
  std::vector<std::string> names, late, gone;
  auto ask = [&] {
    std::vector<std::optional<uint64_t>> times = context_.queue.due_times(list, names);
    for (size_t i = 0; i < times.size(); i++) {
      if (!times[i]) gone.push_back(names[i]);
      // What has failed keeps its pause, unless that is a long one.
      uint64_t pause = entries[names[i]].failures > 0 ? kPauseMs : 0;
      if (times[i] && *times[i] > context_.queue.now_ms() + pause) late.push_back(names[i]);
    }
    names.clear();
  };
  for (const auto& [name, entry] : entries) {
    if (!entry.left && (list == List::Del || parts_.uploads.flights().count(name) == 0))
      names.push_back(name);
    if (names.size() == kPage) ask();
  }
  if (!names.empty()) ask();
  if (list == List::Del) {
    for (const std::string& name : gone) list_.stored(list, name);
  } else {
    for (size_t at = 0; at < gone.size(); at += kPage) {
      size_t end = std::min(gone.size(), at + kPage);
      left_queue({gone.begin() + static_cast<std::ptrdiff_t>(at),
                  gone.begin() + static_cast<std::ptrdiff_t>(end)});
    }
  }
  if (late.empty()) return;
  context_.queue.postpone(list, late, 0);
  parts_.uploads.kick();
  parts_.deletes.kick();
}

void Flush::saw(const UploadEvent& event) {
  if (stage_ != Stage::Storing) return;
  list_.saw(event, context_.clock.now_ms());
  if (event.kind == UploadEvent::Kind::Nothing && list_.of(List::Due).count(event.path) > 0)
    left_queue({event.path});
}

void Flush::saw(const DeleteEvent& event) {
  if (stage_ == Stage::Storing) list_.saw(event);
}

std::string Flush::finish(bool timed_out) {
  done_ = true;
  std::string lines = list_.progress();
  size_t left = list_.add_left(lines);
  for (const auto& [path, why] : unreadable_) {
    lines += "LEFT unreadable " + json_quote(path.empty() ? "." : path) + "\n";
    left++;
  }
  left += add_failed(lines);
  if (timed_out)
    return lines + "ERR ETIMEDOUT " + std::to_string(left) + " entries were not stored in time" +
           troubles() + "\n";
  if (forgotten_) return lines + "ERR EIO Redis forgets what it is told, again and again\n";
  if (left == 0) return lines + "OK\n";
  return lines + "ERR EIO " + std::to_string(left) + " entries were not stored" + troubles() + "\n";
}

// What waits for a person: nothing tries it again by itself.
size_t Flush::add_failed(std::string& lines) {
  std::vector<DeadLetter> letters;
  std::vector<std::string> paths;
  for (DeadLetter& letter : context_.dead.list(kMostDead)) {
    if (!waits_for_person(letter.error_class)) continue;
    paths.push_back(letter.path);
    letters.push_back(std::move(letter));
  }
  bool away = false;
  const std::vector<std::optional<Record>> records = context_.queue.records(paths, &away);
  size_t left = 0;
  for (size_t i = 0; i < letters.size() && i < records.size(); i++) {
    // A letter whose file was written anew, or is gone, is about to go, too.
    if (!records[i] || records[i]->state != RecordState::Failed) continue;
    lines += "LEFT " + lower_case(letters[i].error_class) + " " + json_quote(paths[i]) + "\n";
    left++;
  }
  return left;
}

bool Flush::store_is_away() const {
  const StoreHealth& health = context_.health;
  return health.failures_ever() > store_failures_before_ &&
         (health.failures() >= kStoreFailures || health.blocked());
}

// What stood in the way, each with a "; " before it.
std::string Flush::troubles() const {
  std::string why;
  if (!context_.redis.connected()) why += "; " + redis_away();
  if (context_.health.away()) why += "; the store fails: " + printable(context_.health.trouble());
  if (!unreadable_.empty())
    why += "; cannot read '" + printable(unreadable_.begin()->first) +
           "': " + unreadable_.begin()->second;
  return why;
}

std::string Flush::redis_away() const {
  const std::string trouble = printable(context_.redis.trouble());
  const uint64_t journal = parts_.replay.reader().bytes_waiting();
  return context_.config.complaint(Option::REDIS_URL, "Redis does not answer (" + trouble + "); " +
                                                          redis_advice(trouble)) +
         (journal > 0 ? "; changes that only the journal knows wait for it" : "");
}

std::string Flush::step() {
  uint64_t now = context_.clock.now_ms();
  if (now >= deadline_ms_) return finish(true);
  next_ms_ = std::min(now + kLookMs, deadline_ms_);
  if (stage_ == Stage::Replaying && parts_.replay.idle()) begin_scan();
  if (context_.redis.connected()) redis_seen_ms_ = now;
  if (now > redis_seen_ms_ + kRedisMs) {
    done_ = true;
    return "ERR EIO " + redis_away() + "\n";
  }
  bool scanned = parts_.scan.begun() >= scan_wanted_ && parts_.scan.finished() >= scan_wanted_;
  if (stage_ == Stage::Scanning && scanned) {
    unreadable_ = parts_.scan.unreadable();
    if (snapshot()) {
      stage_ = Stage::Storing;
      // What failed before this flush may be mended since: the store is asked once more at least.
      context_.health.try_now();
      store_failures_before_ = context_.health.failures_ever();
    }
  }
  if (stage_ == Stage::Storing) {
    if (now >= hasten_at_ms_) {
      hasten(List::Due);
      // Of a rename, the new name comes before the old one goes.
      if (!list_.waiting(List::Due)) hasten(List::Del);
      hasten_at_ms_ = now + std::max<uint64_t>(kLookMs, list_.size() / 5);
    }
    if (!list_.waiting(List::Due)) hasten_at_ms_ = std::min(hasten_at_ms_, now + kLookMs);
    if (store_is_away()) list_.give_up();
    if (!list_.waiting(List::Due) && !list_.waiting(List::Del) && complete()) return finish(false);
  }
  if (now < said_at_ms_ + kSayMs) return {};
  said_at_ms_ = now;
  return list_.progress();
}

}  // namespace wbshim
