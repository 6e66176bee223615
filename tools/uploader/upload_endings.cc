// How uploads end, and what Redis, the dead letters and the tally are told of it. The other half of
// uploads.h.
#include <algorithm>

#include "core/base/fault.h"
#include "core/util/log.h"
#include "tools/uploader/uploads.h"

namespace wbshim {
namespace {

// Credentials, clock, bucket, load: mended for all at once, and the place in the queue is kept.
bool no_file_is_at_fault(const StoreResult& result) {
  return result.outcome == StoreOutcome::Credentials || result.outcome == StoreOutcome::Blocked ||
         result.throttled || result.mended;
}

}  // namespace

void Uploads::event(const std::string& path, UploadEvent::Kind kind, const std::string& message,
                    const std::string& etag) {
  bool failed = kind == UploadEvent::Kind::Failed || kind == UploadEvent::Kind::Dead;
  UploadEvent event{path, kind, message, etag, 0};
  if (failed) {
    event.attempts = attempts_[path];
  } else if (kind != UploadEvent::Kind::Writing && kind != UploadEvent::Kind::Later) {
    attempts_.erase(path);
    aside_.erase(path);
    context_.dead.remove(path);
    if (kind != UploadEvent::Kind::Superseded) large_.settled(path);
  }
  if (kind == UploadEvent::Kind::Writing) {
    writing_.emplace(path, context_.clock.now_ms());
  } else {
    writing_.erase(path);
  }
  if (on_event) on_event(event);
}

// What Redis is told about an end.
Finish Uploads::plan(const Ended& ended) {
  Finish finish{ended.flight.path, ended.flight.key, ended.flight.generation, Ending::Fail, {}, 0};
  switch (ended.result.outcome) {
    case StoreOutcome::Stored:
      finish.ending = Ending::Ok;
      finish.etag = ended.result.etag;
      return finish;
    case StoreOutcome::Absent:  // no answer to a PUT
    case StoreOutcome::Refused:
      // In doubt it is the store's own trouble.
      finish.retry_ms = context_.health.wants_probe() ? kKeepPlace : kDeadRetryMs;
      return finish;
    case StoreOutcome::Unknown:
      finish.ending = Ending::Unknown;
      break;
    case StoreOutcome::Credentials:
    case StoreOutcome::Blocked:
    case StoreOutcome::TryLater:
      break;
  }
  if (no_file_is_at_fault(ended.result)) {
    finish.retry_ms = kKeepPlace;
    return finish;
  }
  auto attempts = attempts_.find(ended.flight.path);
  unsigned attempt = attempts == attempts_.end() ? 1 : attempts->second + 1;
  // While the store fails, everybody keeps the order of age. But whatever fails again and again is
  // put off, so that it does not stand in the way of others when the trouble is its own.
  bool patient = context_.health.everybodys(ended.result) && attempt <= kPatientTries;
  finish.retry_ms = patient ? kKeepPlace : retry_ms(attempt, kTryLater, context_.random());
  return finish;
}

void Uploads::set_aside(const Flight& flight, bool dead) {
  if (flight.due_ms == 0) return;
  auto [found, fresh] = aside_.emplace(flight.path, Aside{flight.due_ms, dead});
  if (!fresh) found->second.dead = dead;
}

void Uploads::store_is_back(bool blocked) {
  back_ = true;
  back_blocked_ = back_blocked_ || blocked;
}

void Uploads::put_back_aside() {
  std::vector<QueueEntry> entries;
  for (const auto& [path, aside] : aside_) {
    if (!aside.dead || back_blocked_) entries.push_back({path, aside.due_ms});
  }
  if (!context_.queue.put_back(List::Due, entries)) return;  // again with the next step
  back_ = back_blocked_ = false;
  kick();
}

void Uploads::settle_event(const Ended& ended, const Finish& plan, Finished answer) {
  const std::string& path = ended.flight.path;
  if (plan.ending == Ending::Ok) {
    Tally& tally = context_.tally;
    tally.uploads++;
    tally.upload_bytes += ended.flight.size;
    if (ended.flight.early) tally.early_uploads++;
    if (early_bytes_ != UINT64_MAX) early_bytes_ -= std::min(early_bytes_, ended.flight.size);
    uint64_t now = context_.queue.now_ms();
    if (ended.flight.since_ms > 0 && now >= ended.flight.since_ms) {
      tally.lag(static_cast<double>(now - ended.flight.since_ms) / 1000.0);
    }
    if (answer == Finished::Lost) {
      log_warn("the claim of '" + path + "' was lost; the object is looked at later");
      return event(path, UploadEvent::Kind::Later);
    }
    if (answer == Finished::NotDone) tally.superseded++;
    return event(
        path, answer == Finished::Done ? UploadEvent::Kind::Stored : UploadEvent::Kind::Superseded,
        {}, ended.result.etag);
  }
  context_.tally.error(ended.result.error_class);
  unsigned attempts = attempts_[path];
  if (!no_file_is_at_fault(ended.result)) attempts = ++attempts_[path];
  if (plan.retry_ms != kKeepPlace) set_aside(ended.flight, plan.retry_ms == kDeadRetryMs);
  bool dead = plan.retry_ms == kDeadRetryMs;
  if (ended.result.error_class == kDirectoryInTheWay) {
    for (std::string& key : context_.queue.below(List::Del, path))
      wanted_deletes_.insert(std::move(key));
  }
  if (dead) context_.dead.add(path, ended.result.error_class, ended.result.message, attempts);
  log_debug("upload of '" + path + "' failed: " + ended.result.message);
  event(path, dead ? UploadEvent::Kind::Dead : UploadEvent::Kind::Failed, ended.result.message);
}

void Uploads::forget_closed() {
  if (writing_.empty()) return;
  std::vector<std::string> paths;
  for (const auto& [path, since] : writing_) {
    paths.push_back(path);
    if (paths.size() == 1000) break;
  }
  std::vector<std::optional<uint64_t>> times = context_.queue.due_times(List::Due, paths);
  for (size_t i = 0; i < times.size(); i++) {
    if (!times[i]) writing_.erase(paths[i]);
  }
}

void Uploads::give_up() {
  std::vector<Finish> list;
  for (const auto& [path, flight] : flights_) {
    list.push_back({path, flight.key, flight.generation, Ending::Unknown, {}, 0});
  }
  context_.queue.finish(list);
  flights_.clear();
}

void Uploads::put_off_large() {
  std::vector<Finish> list;
  for (const auto& [path, flight] : flights_) {
    if (flight.large && !large_.completing(path))
      list.push_back({path, flight.key, flight.generation, Ending::Release, {}, kKeepPlace});
  }
  context_.queue.finish(list);
  for (const Finish& each : list) forget_flight(each.path);
}

void Uploads::report() {
  if (ended_.empty() || !context_.redis.connected()) return;
  std::vector<Finish> plans;
  for (const Ended& ended : ended_) plans.push_back(plan(ended));
  WBSHIM_FAULT(FinishBegun);
  std::vector<Finished> answers = context_.queue.finish(plans);
  WBSHIM_FAULT(FinishTold);
  std::vector<Ended> ended = std::move(ended_);
  ended_.clear();
  bool kept = std::any_of(plans.begin(), plans.end(),
                          [](const Finish& plan) { return plan.retry_ms == kKeepPlace; });
  // What keeps its place comes before those that were looked up after it.
  if (ready_.empty() || kept) kick();
  for (size_t i = 0; i < ended.size(); i++) {
    if (answers[i] == Finished::Away) {
      ended_.push_back(std::move(ended[i]));  // told again when Redis is back
    } else {
      settle_event(ended[i], plans[i], answers[i]);
    }
  }
  report_at_ms_ = context_.clock.now_ms() + kReportMs;
}

}  // namespace wbshim
