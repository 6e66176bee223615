#include "tools/uploader/room_requests.h"

#include <algorithm>

#include "core/base/options.h"
#include "core/util/bytes.h"

namespace wbshim {
namespace {

constexpr uint64_t kLookMs = 50;
constexpr uint64_t kMostMs = 60000;

bool parse(const std::string& text, uint64_t* value) {
  return parse_size(bytes(text), value);
}

}  // namespace

void RoomRequests::add(ConnectionId id, Waiter waiter, uint64_t ms) {
  waiter.until_ms = context_.clock.now_ms() + std::min(ms, kMostMs);
  waiters_[id] = waiter;
  next_ms_ = 0;
}

bool RoomRequests::room(ConnectionId id, const std::string& argument) {
  uint64_t ms = 0;
  if (!parse(argument, &ms)) return false;
  add(id, {}, ms);
  return true;
}

bool RoomRequests::space(ConnectionId id, const std::string& argument) {
  uint64_t bytes = 0, ms = 0;
  size_t gap = argument.find(' ');
  if (gap == std::string::npos || !parse(argument.substr(gap + 1), &ms)) return false;
  bool quota = argument.substr(0, gap) == "quota";
  if (!quota && !parse(argument.substr(0, gap), &bytes)) return false;
  // What a quota has left is not known: whatever can be given up is.
  add(id, {true, quota ? UINT64_MAX : bytes, 0}, ms);
  return true;
}

std::string RoomRequests::answer_to(const Waiter& waiter, uint64_t now) {
  if (waiter.space) {
    if (pressure_.make_room(waiter.bytes)) return "OK";
    if (context_.health.away()) return "ERR ENOSPC the disk is full, and the store is away";
    return now >= waiter.until_ms ? "ERR ENOSPC the disk is full" : "";
  }
  if (pressure_.judged().level != pressure::Level::Hard || !pressure_.judged().uploads_help)
    return "OK";
  if (!pressure_.room_is_coming()) return "ERR EAGAIN nothing makes room now";
  if (now < waiter.until_ms) return "";
  pressure_.waited_in_vain();
  return "ERR EAGAIN no room in time";
}

void RoomRequests::step() {
  uint64_t now = context_.clock.now_ms();
  if (waiters_.empty() || now < next_ms_) return;
  next_ms_ = now + kLookMs;
  pressure_.refresh();
  std::vector<std::pair<ConnectionId, std::string>> answers;
  for (const auto& [id, waiter] : waiters_) {
    std::string answer = answer_to(waiter, now);
    if (!answer.empty()) answers.emplace_back(id, answer);
  }
  // What a source gives, or an answer in vain, changes what the library is told.
  if (!answers.empty()) pressure_.refresh();
  for (const auto& [id, answer] : answers) {
    waiters_.erase(id);
    server_.answer(id, answer + "\n", true);
  }
}

void RoomRequests::shut_down() {
  std::map<ConnectionId, Waiter> waiters = std::move(waiters_);
  waiters_.clear();
  for (const auto& [id, waiter] : waiters)
    server_.answer(id, "ERR EAGAIN the uploader is stopping\n", true);
}

}  // namespace wbshim
