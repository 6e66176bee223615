#include "tools/uploader/uploads.h"

#include <algorithm>

#include "core/base/fault.h"
#include "core/volume/record.h"

namespace wbshim {
namespace {

constexpr size_t kBatch = 256;       // entries looked at in the queue at a time
constexpr uint64_t kStaleMs = 1000;  // a look this old is no good: due times move
constexpr uint64_t kIdleMs = 1000;
constexpr size_t kAheadPart = 2;  // claimed ahead: half as many as are sent at once
constexpr uint64_t kAheadBytes = uint64_t{4} << 20;  // but only while fewer are under way
constexpr uint64_t kMostBytes =
    uint64_t{64} << 20;  // held in memory for requests under way; a bigger file goes alone

}  // namespace

void Uploads::step(size_t room) {
  const size_t at_once = std::min(room, context_.health.limit(room));
  // Requests wait behind those under way: no connection idles meanwhile, and what ended and what
  // follows goes to Redis in batches.
  const bool full = flights_.size() > at_once;
  if (!full || !hurried_.empty() || context_.clock.now_ms() >= report_at_ms_) report();
  if (back_) put_back_aside();
  large_.step(at_once);
  blocked_ = full && hurried_.empty();
  if (blocked_ || context_.health.paused()) return;
  const bool trusted = at_once == room && context_.health.failures() == 0;
  const Room limits{at_once, trusted ? at_once + at_once / kAheadPart : at_once};
  blocked_ = limits.taken_up(in_flight() + large_.in_flight(), bytes_held());
  if (blocked_) return;
  pace_at_ms_ = pace_.ready_at_ms(1, context_.clock.now_ms());
  if (pace_at_ms_ > context_.clock.now_ms()) return;
  if (context_.clock.now_ms() >= look_at_ms_ || !hurried_.empty()) refill();
  taken_due_ms_.clear();
  std::vector<std::string> paths = choose(limits);
  if (paths.empty()) return;
  WBSHIM_FAULT(DueTaken);
  std::vector<Claim> claims = context_.queue.claim(paths, [this](const std::string& path) {
    return !sending(path) && !(deleting && (deleting(path) || deleting(path + "/")));
  });
  std::vector<std::string> busy;
  for (size_t i = 0; i < paths.size(); i++) {
    switch (claims[i].answer) {
      case Claim::Answer::Taken:
        WBSHIM_FAULT(Claimed);
        send(paths[i], claims[i]);
        break;
      case Claim::Answer::Busy:
        busy.push_back(paths[i]);
        event(paths[i], UploadEvent::Kind::Later);
        break;
      case Claim::Answer::Away:
        break;  // found again by the next look
      default:
        event(paths[i], UploadEvent::Kind::Nothing);
    }
  }
  if (!busy.empty()) context_.queue.postpone(List::Due, busy, kBusyMs);
  blocked_ = blocked_ || limits.taken_up(in_flight() + large_.in_flight(), bytes_held());
}

// In memory, for what is under way.
uint64_t Uploads::bytes_held() const {
  return bytes_in_flight_ - large_bytes_ + large_.bytes_in_flight();
}

uint64_t Uploads::next_ms() const {
  uint64_t report = ended_.empty() ? UINT64_MAX : report_at_ms_;
  if (!context_.health.paused()) report = std::min(report, large_.next_ms());
  if (blocked_) return report;  // a completion comes first, or the store's own probe
  if (context_.health.paused()) return std::min(report, context_.health.paused_until());
  if (pace_at_ms_ > context_.clock.now_ms()) return std::min(report, pace_at_ms_);
  if (!ready_.empty() || !hurried_.empty()) return context_.clock.now_ms();
  return std::min(report, look_at_ms_);
}

// Looks at the queue again when what is known of it is used up, stale or said to be out of date.
void Uploads::refill() {
  uint64_t now = context_.clock.now_ms();
  ready_.clear();
  look_at_ms_ = now + kIdleMs;
  auto entries = context_.queue.first(List::Due, kBatch + in_flight());
  if (!entries) return;
  looked_ = true;
  deletes_waiting_ = context_.queue.size(List::Del).value_or(0) > 0;
  earliest_due_.reset();
  if (!entries->empty()) earliest_due_ = entries->front().due_ms;
  uint64_t redis_now = context_.queue.now_ms();
  std::vector<std::string> paths;
  early_left_ = early_bytes_ - std::min(early_bytes_, bytes_in_flight_);
  std::erase_if(early_taken_, [now](const auto& e) { return now >= e.second + kStaleMs; });
  for (QueueEntry& entry : *entries) {
    if (entry.due_ms > redis_now)
      look_at_ms_ = std::min(look_at_ms_, now + (entry.due_ms - redis_now));
    if (entry.due_ms > redis_now || !open_) {
      if (early_left_ == 0) break;
      if (!may_go_early(entry.member)) continue;
    }
    if (flights_.count(entry.member) == 0) ready_.push_back(std::move(entry));
  }
  // Others follow these: look as soon as they are used up.
  if (ready_.size() >= kBatch / 2) look_at_ms_ = now + kStaleMs;
}

// Takes out what lies below a key that is still to be deleted as a file.
void Uploads::hold_back_below_files(std::vector<std::string>& paths) {
  if (!deletes_waiting_) {
    wanted_deletes_.clear();
    return;
  }
  std::vector<std::string> above;
  std::unordered_set<std::string> seen;
  for (const std::string& path : paths) {
    for (std::string dir = parent_of(path); !dir.empty() && seen.insert(dir).second;
         dir = parent_of(dir)) {
      above.push_back(dir);
    }
    // And the other way round: a directory's own object where now is a file.
    above.push_back(path + "/");
  }
  auto times = context_.queue.due_times(List::Del, above);
  std::unordered_set<std::string> blocking;
  for (size_t i = 0; i < times.size(); i++) {
    if (times[i]) blocking.insert(above[i]);
  }
  if (blocking.empty()) return;
  wanted_deletes_.insert(blocking.begin(), blocking.end());
  std::vector<std::string> held;
  auto below = [&](const std::string& path) {
    if (blocking.count(path + "/") > 0) return true;
    for (std::string dir = parent_of(path); !dir.empty(); dir = parent_of(dir)) {
      if (blocking.count(dir) > 0) return true;
    }
    return false;
  };
  for (const std::string& path : paths) {
    if (below(path)) held.push_back(path);
  }
  paths.erase(std::remove_if(paths.begin(), paths.end(), below), paths.end());
  context_.queue.postpone(List::Due, held, 100);
  for (const std::string& path : held) event(path, UploadEvent::Kind::Later);
}

bool Uploads::sending(const std::string& path) const {
  return flights_.count(path) > 0 ||
         std::any_of(ended_.begin(), ended_.end(),
                     [&](const Ended& ended) { return ended.flight.path == path; });
}

// What waits is dated already, and must not wait for minutes.
bool Uploads::Room::taken_up(size_t requests, uint64_t bytes) const {
  return requests >= most || (requests >= at_once && bytes >= kAheadBytes);
}

// Paths that nobody writes to, as many as there is room for.
std::vector<std::string> Uploads::choose(const Room& room) {
  std::vector<std::string> paths, postponed;
  const uint64_t before = bytes_held();
  const size_t parts = large_.in_flight();
  const uint64_t most_bytes = pace_.allowed(context_.clock.now_ms());
  uint64_t bytes = before;
  while (!hurried_.empty() || !ready_.empty()) {
    if (room.taken_up(in_flight() + parts + paths.size(), bytes)) break;
    if (bytes - before >= most_bytes) break;
    bool hurried = !hurried_.empty();
    std::string path = hurried ? hurried_.front() : ready_.front().member;
    bool early = !hurried && (!open_ || ready_.front().due_ms > context_.queue.now_ms());
    bool wanted = !early || early_left_ > 0;
    if (wanted && !sending(path) && std::find(paths.begin(), paths.end(), path) == paths.end()) {
      Content look = look_before_claim(path);
      uint64_t size = S_ISREG(look.st.st_mode) ? static_cast<uint64_t>(look.st.st_size) : 0;
      const uint64_t held = large_.takes(size) ? 0 : size;
      blocked_ = bytes > 0 && held > 0 && bytes + held > kMostBytes;
      if (blocked_) break;
      if (early) take_early(path, size);
      bytes += held;
      (look.outcome == ReadOutcome::Writing ? postponed : paths).push_back(path);
    }
    if (hurried) {
      hurried_.pop_front();
    } else {
      taken_due_ms_[path] = ready_.front().due_ms;
      ready_.pop_front();
    }
  }
  if (ready_.empty() && !paths.empty()) kick();
  if (!postponed.empty()) {
    context_.queue.postpone(List::Due, postponed, kWritingMs);
    for (const std::string& path : postponed) event(path, UploadEvent::Kind::Writing);
  }
  if (!paths.empty()) hold_back_below_files(paths);
  return paths;
}

void Uploads::set_early(uint64_t bytes) {
  early_bytes_ = bytes;
  if (bytes > bytes_in_flight_ && ready_.empty()) kick();
}

void Uploads::set_open(bool open) {
  if (open == open_) return;
  open_ = open;
  ready_.clear();
  kick();
}

bool Uploads::may_go_early(const std::string& path) const {
  return attempts_.count(path) == 0 && writing_.count(path) == 0 && early_taken_.count(path) == 0 &&
         !context_.dead.has(path);
}

void Uploads::take_early(const std::string& path, uint64_t size) {
  early_taken_[path] = context_.clock.now_ms();
  early_left_ -= std::min(early_left_, size);
}

Content Uploads::look_before_claim(const std::string& path) {
  Content look = look_at(context_.tree, path, context_.writers);
  // Not there any more: Redis hears of it first. If the record stays, the claim tells what to do.
  if (look.outcome == ReadOutcome::Gone) publish(path);
  return look;
}

void Uploads::publish(const std::string& path) {
  Notice notice;
  notice.path = path;
  context_.publisher.publish({notice});
}

void Uploads::give_back(const std::string& path, const Claim& claim, Ending ending,
                        uint64_t retry) {
  char type = claim.record ? claim.record->type : 'f';
  // Unanswered: nothing is under way for it, so that the next claim takes it again.
  context_.queue.finish({{path, object_key(path, type), claim.generation, ending, {}, retry}});
}

void Uploads::fail_locally(const std::string& path, const Claim& claim,
                           const std::string& error_class, const std::string& message) {
  context_.tally.error(error_class);
  unsigned attempts = ++attempts_[path];
  context_.dead.add(path, error_class, message, attempts);
  give_back(path, claim, Ending::Fail, kDeadRetryMs);
  event(path, UploadEvent::Kind::Dead, message);
}

void Uploads::send(const std::string& path, const Claim& claim) {
  if (!claim.record)
    return fail_locally(path, claim, "BadRecord", "its record in Redis cannot be read");
  if (path == kVolumeMark)
    return fail_locally(path, claim, "ReservedName", "this name is kept for the volume's mark");
  if (claim.record->type == 'f' && large_.takes(claim.record->size))
    return send_in_parts(path, claim);
  Content content = read_content(context_.tree, path, claim.record->type, context_.writers);
  WBSHIM_FAULT(UploadRead);
  if (readable(path, claim, content)) put(path, claim, std::move(content));
}

// False: it has been given back, and everybody told why.
bool Uploads::readable(const std::string& path, const Claim& claim, const Content& content) {
  switch (content.outcome) {
    case ReadOutcome::Writing:
      give_back(path, claim, Ending::Release, kWritingMs);
      event(path, UploadEvent::Kind::Writing);
      return false;
    case ReadOutcome::Changed:
      give_back(path, claim, Ending::Release, kWritingMs);
      event(path, UploadEvent::Kind::Later);
      return false;
    case ReadOutcome::Gone:
      missing(path, claim);
      return false;
    case ReadOutcome::Failed:
      fail_locally(path, claim, "LocalRead", content.message);
      return false;
    case ReadOutcome::Ready:
      break;
  }
  if (matches(*claim.record, content.st)) return true;
  // Redis does not know of the last change yet.
  put_off(path, claim, LargeUpload::End::Changed);
  return false;
}

void Uploads::put_off(const std::string& path, const Claim& claim, LargeUpload::End why) {
  give_back(path, claim, Ending::Release, kWritingMs);
  if (why == LargeUpload::End::Changed) publish(path);
  event(path, UploadEvent::Kind::Later);
}

// Recorded, but not there, or as something else. Mostly the record is only late.
void Uploads::missing(const std::string& path, const Claim& claim) {
  if (attempts_[path] >= 3) {
    return fail_locally(path, claim, "LocalMissing",
                        "the staged file is gone, and nothing says that it was deleted");
  }
  attempts_[path]++;
  give_back(path, claim, Ending::Release, kWritingMs);
  publish(path);
  event(path, UploadEvent::Kind::Failed, "the staged file is not there");
}

Flight& Uploads::begin_flight(const std::string& path, const Claim& claim, uint64_t size) {
  Flight& flight = flights_[path];
  flight.path = path;
  flight.key = object_key(path, claim.record->type);
  flight.generation = claim.generation;
  flight.size = size;
  flight.since_ms = claim.record->since_ms;
  flight.started_ms = context_.clock.now_ms();
  auto due = taken_due_ms_.find(path);
  flight.due_ms = due == taken_due_ms_.end() ? 0 : due->second;
  flight.early = early_taken_.count(path) > 0;
  bytes_in_flight_ += size;
  return flight;
}

void Uploads::end_flight(const std::string& path, StoreResult result) {
  auto found = flights_.find(path);
  if (found == flights_.end()) return;
  if (ended_.empty()) report_at_ms_ = context_.clock.now_ms() + kReportMs;
  ended_.push_back({found->second, std::move(result)});
  forget_flight(path);
}

void Uploads::put(const std::string& path, const Claim& claim, Content content) {
  const Flight& flight = begin_flight(path, claim, content.body->bytes.size());
  pace_.take(flight.size, flight.started_ms);
  WBSHIM_FAULT(PutBegun);
  context_.store.put(flight.key, std::move(content.body), meta_of(content.st, claim.generation),
                     claim.dated_ms, [this, path](StoreResult result) {
                       WBSHIM_FAULT(PutAnswered);
                       if (flights_.count(path) == 0) return;
                       context_.health.saw(result);
                       end_flight(path, std::move(result));
                     });
  WBSHIM_FAULT(PutHanded);
}

void Uploads::send_in_parts(const std::string& path, const Claim& claim) {
  LargeUpload::Last last;
  const Content content = open_content(context_.tree, path, context_.writers, &last.file);
  if (!readable(path, claim, content)) return;
  Flight& flight = begin_flight(path, claim, static_cast<uint64_t>(content.st.st_size));
  flight.large = true;
  large_bytes_ += flight.size;
  last.st = content.st;
  last.meta = meta_of(content.st, claim.generation);
  last.generation = claim.generation;
  large_.finish(path, std::move(last),
                [this, path, claim](LargeUpload::End how, StoreResult result) {
                  if (how == LargeUpload::End::Answered) return end_flight(path, std::move(result));
                  if (!forget_flight(path)) return;
                  put_off(path, claim, how);
                  // Deleted, or taken over by another client: its turn does not come again.
                  const auto due = context_.queue.due_times(List::Due, {path});
                  if (due.size() == 1 && !due[0]) large_.settled(path);
                });
}

bool Uploads::forget_flight(const std::string& path) {
  auto found = flights_.find(path);
  if (found == flights_.end()) return false;
  bytes_in_flight_ -= found->second.size;
  if (found->second.large) large_bytes_ -= found->second.size;
  flights_.erase(found);
  return true;
}

}  // namespace wbshim
