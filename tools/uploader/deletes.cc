#include "tools/uploader/deletes.h"

#include <algorithm>

#include "core/base/fault.h"
#include "core/util/log.h"

namespace wbshim {
namespace {

constexpr uint64_t kIdleMs = 1000;

Ending ending_of(StoreOutcome outcome) {
  switch (outcome) {
    case StoreOutcome::Stored:
    case StoreOutcome::Absent:
      return Ending::Ok;
    case StoreOutcome::Unknown:
      return Ending::Unknown;
    default:
      return Ending::Fail;
  }
}

}  // namespace

void Deletes::event(const std::string& key, bool done, bool dead, const std::string& message) {
  if (done) attempts_.erase(key);
  uploads_.wanted_deletes().erase(key);
  if (on_event) on_event({key, done, dead, message});
}

// Due keys, and those that an upload waits for.
std::vector<std::string> Deletes::choose(size_t room) {
  std::vector<std::string> keys;
  uint64_t now = context_.clock.now_ms();
  look_at_ms_ = now + kIdleMs;
  for (const std::string& key : uploads_.wanted_deletes()) {
    if (keys.size() < room && !sending(key)) keys.push_back(key);
  }
  auto entries = context_.queue.first(List::Del, room + in_flight() + keys.size());
  if (!entries || !uploads_.looked()) return keys;
  uint64_t redis_now = context_.queue.now_ms();
  for (const QueueEntry& entry : *entries) {
    if (entry.due_ms > redis_now) {
      look_at_ms_ = std::min(look_at_ms_, now + (entry.due_ms - redis_now));
      break;
    }
    if (uploads_.earliest_due() && *uploads_.earliest_due() <= entry.due_ms) break;
    bool known =
        sending(entry.member) || std::find(keys.begin(), keys.end(), entry.member) != keys.end();
    if (!known && keys.size() < room) keys.push_back(entry.member);
  }
  return keys;
}

void Deletes::step(size_t room) {
  report();
  room = std::min(room, context_.health.limit(room));
  blocked_ = room <= in_flight();
  if (blocked_ || context_.health.paused()) return;
  if (context_.clock.now_ms() < look_at_ms_ && uploads_.wanted_deletes().empty()) return;
  std::vector<std::string> keys = choose(room - in_flight());
  if (keys.empty()) return;
  WBSHIM_FAULT(DeleteTaken);
  std::vector<DeleteClaim> claims =
      context_.queue.claim_delete(keys, [this](const std::string& key) {
        return !sending(key) && !uploads_.sending(path_of_key(key));
      });
  std::vector<std::string> busy;
  for (size_t i = 0; i < keys.size(); i++) {
    const std::string& key = keys[i];
    if (claims[i].answer == DeleteClaim::Answer::Wanted) event(key, true);
    if (claims[i].answer == DeleteClaim::Answer::Busy) {
      busy.push_back(key);
      uploads_.wanted_deletes().erase(key);
    }
    if (claims[i].answer != DeleteClaim::Answer::Taken) continue;
    WBSHIM_FAULT(DeleteClaimed);
    flights_[key] = {key, claims[i].generation};
    const bool doubtful = claims[i].generation > 0 && claims[i].generation <= doubted_;
    doubtful ? ask_first(key, claims[i].dated_ms) : send(key, claims[i].dated_ms);
  }
  if (!busy.empty()) context_.queue.postpone(List::Del, busy, kBusyMs);
  kick();
}

void Deletes::end(const std::string& key, StoreResult result, bool kept) {
  auto found = flights_.find(key);
  if (found == flights_.end()) return;
  ended_.push_back({std::move(found->second), std::move(result), kept});
  flights_.erase(found);
}

void Deletes::send(const std::string& key, uint64_t dated_ms) {
  context_.store.remove(key, dated_ms, [this, key](StoreResult result) {
    context_.health.saw(result);
    end(key, std::move(result), false);
    WBSHIM_FAULT(DeleteAnswered);
  });
  WBSHIM_FAULT(DeleteHanded);
}

void Deletes::ask_first(const std::string& key, uint64_t dated_ms) {
  context_.store.head(key, [this, key, dated_ms](StoreResult result) {
    context_.health.saw(result);
    auto found = flights_.find(key);
    if (found == flights_.end()) return;
    const bool there = result.outcome == StoreOutcome::Stored;
    const bool newer = there && result.generation > found->second.generation;
    if ((there && !newer) || result.outcome == StoreOutcome::Absent) return send(key, dated_ms);
    if (newer) {
      log_warn("not deleted from the store: '" + key +
               "': it is newer than the version that was removed; Redis has forgotten it, and "
               "shim-ctl verify tells what it is");
    }
    end(key, std::move(result), newer);
  });
}

bool Deletes::sending(const std::string& key) const {
  return flights_.count(key) > 0 ||
         std::any_of(ended_.begin(), ended_.end(),
                     [&](const Ended& ended) { return ended.flight.key == key; });
}

void Deletes::give_up() {
  std::vector<Finish> list;
  for (const auto& [key, flight] : flights_) {
    list.push_back({path_of_key(key), key, flight.generation, Ending::Unknown, {}, 0});
  }
  context_.queue.finish_delete(list);
  flights_.clear();
}

void Deletes::report() {
  if (ended_.empty() || !context_.redis.connected()) return;
  std::vector<Finish> plans;
  for (const Ended& ended : ended_) {
    const std::string& key = ended.flight.key;
    Finish plan{
        path_of_key(key), key, ended.flight.generation, ending_of(ended.result.outcome), {}, 0};
    // In doubt it is the store's own trouble.
    bool doubted = context_.health.wants_probe();
    bool refused = ended.result.outcome == StoreOutcome::Refused && !doubted;
    unsigned attempt = plan.ending == Ending::Ok ? 0 : ++attempts_[key];
    plan.retry_ms = refused ? kDeadRetryMs
                    : context_.health.everybodys(ended.result) && attempt <= kPatientTries
                        ? kKeepPlace
                        : retry_ms(attempt, kTryLater, context_.random());
    plans.push_back(std::move(plan));
  }
  std::vector<Finished> answers = context_.queue.finish_delete(plans);
  WBSHIM_FAULT(DeleteFinishTold);
  std::vector<Ended> ended = std::move(ended_);
  ended_.clear();
  for (size_t i = 0; i < ended.size(); i++) {
    if (answers[i] == Finished::Away) {
      ended_.push_back(std::move(ended[i]));
      continue;
    }
    if (plans[i].ending == Ending::Ok) {
      if (!ended[i].kept) context_.tally.deletes++;
    } else {
      context_.tally.error(ended[i].result.error_class);
      log_debug("deletion of '" + plans[i].key + "' failed: " + ended[i].result.message);
    }
    bool dead = plans[i].retry_ms == kDeadRetryMs;
    if (dead)
      log_error("not deleted from the store: '" + plans[i].key + "': " + ended[i].result.message);
    event(plans[i].key, answers[i] == Finished::Done, dead, ended[i].result.message);
  }
  kick();
  uploads_.kick();
}

}  // namespace wbshim
