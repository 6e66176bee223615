#include "tools/uploader/requests.h"

#include <unistd.h>

#include <algorithm>

#include "core/base/fault.h"
#include "core/base/options.h"
#include "core/base/protocol.h"
#include "core/util/bytes.h"
#include "core/util/display.h"
#include "core/util/json.h"

namespace wbshim {
namespace {

constexpr uint64_t kFailingMs =
    10000;  // so long a failing upload is tried again for somebody who waits
constexpr uint64_t kChangingMs = 30000;  // so long one that changes all the time
constexpr uint64_t kAgainMs = 100;
constexpr uint64_t kStalledMs =
    10000;  // so long RELIEVE waits while no upload at all comes to an end

}  // namespace

void Requests::finish(ConnectionId id, const std::string& line) {
  if (waiters_.count(id) > 0) WBSHIM_FAULT(RequestEnded);
  waiters_.erase(id);
  server_.answer(id, line + "\n", true);
}

void Requests::handle(ConnectionId id, const std::string& request) {
  size_t space = request.find(' ');
  std::string verb = request.substr(0, space);
  std::string argument = space == std::string::npos ? "" : request.substr(space + 1);
  if (verb == protocol::kPing) {
    finish(id, std::string("OK ") + WBSHIM_VERSION + " " + std::to_string(getpid()));
  } else if (verb == protocol::kWake) {
    wake();
    finish(id, "OK");
  } else if (verb == protocol::kStats) {
    write_stats();
    finish(id, "OK");
  } else if (verb == protocol::kStatus) {
    finish(id, status() + "\nOK");
  } else if (verb == protocol::kUpload) {
    upload(id, argument, true);
  } else if (verb == protocol::kRelieve) {
    upload(id, argument, false);
  } else if (verb == protocol::kRoom || verb == protocol::kSpace) {
    bool taken = verb == protocol::kRoom ? ask_room(id, argument) : ask_space(id, argument);
    if (!taken) finish(id, "ERR EINVAL " + verb + " takes numbers");
  } else if (verb == protocol::kFlush) {
    flush(id, argument);
  } else if (verb == protocol::kRetry) {
    retry();
    wake();
    finish(id, "OK");
  } else if (verb == protocol::kScan) {
    parts_.scan.request();
    scans_[id] = parts_.scan.begun() + 1;
  } else if (verb == protocol::kStop) {
    finish(id, "OK");
    stop();
  } else {
    finish(id, "ERR EINVAL no such request");
  }
}

void Requests::flush(ConnectionId id, const std::string& argument) {
  uint64_t timeout = 0;
  if (!argument.empty() && !parse_count(bytes(argument), &timeout)) {
    return finish(id, "ERR EINVAL FLUSH takes milliseconds, 0 for no limit");
  }
  flushes_[id] = std::make_unique<Flush>(context_, parts_, timeout);
  wake();
}

// Whether the record already says it all. Answers if so.
bool Requests::answer_from_record(ConnectionId id, const std::string& path) {
  bool away = false;
  std::optional<Record> record = context_.queue.records({path}, &away).front();
  if (away) {
    finish(id, "ERR EIO Redis is away: " + printable(context_.redis.trouble()));
  } else if (!record || record->tombstone()) {
    finish(id, "ERR ENOENT nothing of that name is recorded");
  } else if (record->owner != context_.volume.client) {
    finish(id, "ERR EIO it belongs to client " + printable(record->owner));
  } else if (!record->staged()) {
    finish(id, "OK " + printable(record->etag));
  } else {
    return false;
  }
  return true;
}

void Requests::upload(ConnectionId id, const std::string& path, bool patient) {
  if (path.empty()) return finish(id, "ERR EINVAL UPLOAD takes a path");
  WBSHIM_FAULT(RequestTaken);
  if (!patient && context_.health.away()) return finish(id, "ERR EAGAIN the store is away");
  Notice notice;
  notice.path = path;
  notice.now = true;
  if (!context_.publisher.publish({notice})) {
    return finish(id, "ERR EIO Redis is away: " + printable(context_.redis.trouble()));
  }
  if (answer_from_record(id, path)) return;
  waiters_[id] = {path, context_.clock.now_ms(), UINT64_MAX, {}, patient, context_.tally.uploads};
  context_.queue.postpone(List::Due, {path}, 0);
  parts_.uploads.hurry(path);
}

void Requests::saw(const UploadEvent& event) {
  for (auto& [id, flush] : flushes_) flush->saw(event);
  std::vector<ConnectionId> ids;
  for (const auto& [id, waiter] : waiters_) {
    if (waiter.path == event.path) ids.push_back(id);
  }
  using Kind = UploadEvent::Kind;
  uint64_t now = context_.clock.now_ms();
  for (ConnectionId id : ids) {
    Waiter& waiter = waiters_[id];
    uint64_t age = now - waiter.asked_ms;
    switch (event.kind) {
      case Kind::Stored:
        finish(id, "OK " + printable(event.etag));
        break;
      case Kind::Nothing:
        if (!answer_from_record(id, event.path)) waiter.again_ms = now + kAgainMs;
        break;
      case Kind::Writing:
        finish(id, "ERR EBUSY somebody has it open for writing");
        break;
      case Kind::Dead:
        finish(id, "ERR EIO " + printable(event.message));
        break;
      case Kind::Failed:
        if (age >= kFailingMs || !waiter.patient)
          finish(id, "ERR EIO " + printable(event.message));
        else
          waiter.again_ms = now + kAgainMs * (1u << std::min(event.attempts, 5u));
        break;
      case Kind::Superseded:
      case Kind::Later:
        if (age >= kChangingMs)
          finish(id, "ERR EBUSY it changes all the time");
        else
          waiter.again_ms = now + kAgainMs;
    }
  }
}

void Requests::saw(const DeleteEvent& event) {
  for (auto& [id, flush] : flushes_) flush->saw(event);
}

void Requests::answer_scans() {
  std::vector<ConnectionId> done;
  for (const auto& [id, pass] : scans_) {
    if (parts_.scan.finished() >= pass) done.push_back(id);
  }
  const auto& unreadable = parts_.scan.unreadable();
  for (ConnectionId id : done) {
    scans_.erase(id);
    finish(id, unreadable.empty()
                   ? "OK"
                   : "ERR EIO cannot look into '" + printable(unreadable.begin()->first) +
                         "': " + unreadable.begin()->second);
  }
}

void Requests::step() {
  answer_scans();
  uint64_t now = context_.clock.now_ms();
  std::vector<ConnectionId> done;
  for (auto& [id, flush] : flushes_) {
    if (now < flush->next_ms()) continue;
    std::string lines = flush->step();
    if (flush->done()) done.push_back(id);
    // Progress may be left out; an asker who does not listen gets less of it.
    if (flush->done() || (!lines.empty() && server_.backlog(id) == 0))
      server_.answer(id, lines, flush->done());
  }
  for (ConnectionId id : done) flushes_.erase(id);
  for (ConnectionId id : gone_) flushes_.erase(id);
  gone_.clear();
  // It may be long until the next try.
  std::vector<ConnectionId> late, in_vain;
  for (const auto& [id, waiter] : waiters_) {
    if (context_.health.away() && (!waiter.patient || now - waiter.asked_ms >= kFailingMs))
      late.push_back(id);
  }
  for (ConnectionId id : late) finish(id, "ERR EIO " + printable(context_.health.trouble()));
  for (auto& [id, waiter] : waiters_) {
    if (now >= vain_at(waiter)) in_vain.push_back(id);
    if (now < waiter.again_ms) continue;
    waiter.again_ms = UINT64_MAX;
    context_.queue.postpone(List::Due, {waiter.path}, 0);
    parts_.uploads.hurry(waiter.path);
  }
  for (ConnectionId id : in_vain) {
    stalled();
    finish(id, "ERR EAGAIN the store does not answer");
  }
}

// When waiting makes no more sense for it.
uint64_t Requests::vain_at(const Waiter& waiter) const {
  if (waiter.patient || waiter.uploads != context_.tally.uploads) return UINT64_MAX;
  return waiter.asked_ms + kStalledMs;
}

uint64_t Requests::next_ms() const {
  uint64_t next = UINT64_MAX;
  for (const auto& [id, flush] : flushes_) next = std::min(next, flush->next_ms());
  for (const auto& [id, waiter] : waiters_)
    next = std::min({next, waiter.again_ms, vain_at(waiter)});
  return next;
}

void Requests::closed(ConnectionId id) {
  waiters_.erase(id);
  scans_.erase(id);
  // It may be one that step() is just answering: removed there.
  gone_.push_back(id);
}

void Requests::shut_down() {
  std::vector<ConnectionId> ids;
  for (const auto& [id, waiter] : waiters_) ids.push_back(id);
  for (const auto& [id, flush] : flushes_) ids.push_back(id);
  for (const auto& [id, pass] : scans_) ids.push_back(id);
  for (ConnectionId id : ids) server_.answer(id, "ERR EIO the uploader is stopping\n", true);
  waiters_.clear();
  flushes_.clear();
  scans_.clear();
}

}  // namespace wbshim
