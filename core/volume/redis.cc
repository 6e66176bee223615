#include "core/volume/redis.h"

#include <poll.h>

#include <algorithm>

#include "core/base/fault.h"
#include "core/util/bytes.h"
#include "core/util/display.h"
#include "core/util/log.h"
#include "core/volume/redis_refusal.h"
#include "scripts.h"

namespace wbshim {
namespace {

constexpr uint64_t kFirstPauseMs = 100;
constexpr uint64_t kLongestPauseMs = 2000;
// A server that takes this long to greet is no use yet.
constexpr uint64_t kGreetingMs = 500;
constexpr int kNearMs = 5;
// The same for somebody who has nothing else to do than to wait for it.
constexpr int kPatientGreetingMs = 3000;
// An answer that takes so long, so often in a row, is as good as none.
constexpr uint64_t kSlowMs = 400;
constexpr unsigned kSlowTimes = 3;
// A connection that lives longer was a sound one: the next failure is a new trouble.
constexpr uint64_t kSoundMs = 5000;
// What a command in a pipeline may take longer.
constexpr int kPerCommandMs = 5;
// A longer pipeline has a right to be slow.
constexpr size_t kFew = 16;
// Commands sent before their answers are read: bounds what either side has to buffer.
constexpr size_t kWindow = 256;
// Answers to a batch are long.
constexpr size_t kRoom = size_t{64} << 10;
// Replies are trees of the server's making.
constexpr unsigned kMaxDepth = 8;

Reply copy(const RedisReply& reply, unsigned depth) {
  Reply out;
  out.kind = reply.kind();
  out.integer = reply.integer();
  out.text = to_string(reply.text());
  if (out.kind == Reply::Kind::Array && depth < kMaxDepth) {
    out.items.reserve(reply.size());
    for (size_t i = 0; i < reply.size(); i++) out.items.push_back(copy(reply[i], depth + 1));
  }
  return out;
}

}  // namespace

Redis::Redis(const RedisAddress& address, int timeout_ms, const Clock& clock)
    : address_(address),
      timeout_ms_(timeout_ms),
      clock_(clock),
      room_(std::make_unique<char[]>(kRoom)),
      probe_{"PING"} {
  link_.read_through(room_.get(), kRoom);
}

RedisLink::Step Redis::begin() {
  std::vector<Bytes> probe;
  probe.reserve(probe_.size());
  for (const std::string& word : probe_) probe.push_back(bytes(word));
  opened_at_ms_ = clock_.now_ms();
  return link_.begin(address_, probe.data(), probe.size());
}

bool Redis::arrived(RedisLink::Step step) {
  opening_ = step == RedisLink::Step::Pending;
  if (step == RedisLink::Step::Failed) lost(link_.error());
  if (step != RedisLink::Step::Ready) return false;
  connections_++;
  slow_ = 0;
  opened_at_ms_ = clock_.now_ms();
  if (failures_ > 0 && !trouble_.empty()) log_warn("Redis answers again");
  trouble_.clear();
  return true;
}

RedisLink::Step Redis::wait_a_little(int ms) {
  struct pollfd fd = {link_.fd(), wanted_events(), 0};
  ::poll(&fd, 1, ms);
  return link_.advance();
}

bool Redis::connect() {
  if (connected()) return true;
  RedisLink::Step step = opening_ ? link_.advance() : begin();
  uint64_t until = clock_.now_ms() + kPatientGreetingMs;
  while (step == RedisLink::Step::Pending && clock_.now_ms() < until) step = wait_a_little(20);
  if (step != RedisLink::Step::Pending) return arrived(step);
  give_up("no answer in time");
  return false;
}

short Redis::wanted_events() const {
  return link_.wants_to_write() ? POLLOUT : POLLIN;
}

bool Redis::ready() {
  if (connected()) return true;
  if (connections_ == 0 && failures_ == 0) return connect();  // nobody waits for anything else yet
  if (!opening_) {
    if (clock_.now_ms() < next_try_ms_) return false;
    RedisLink::Step step = begin();
    // One that is well and near has answered by then.
    if (step == RedisLink::Step::Pending) step = wait_a_little(kNearMs);
    return arrived(step);
  }
  if (arrived(link_.advance())) return true;
  if (opening_ && clock_.now_ms() > opened_at_ms_ + kGreetingMs) give_up("no answer in time");
  return false;
}

void Redis::give_up(const std::string& why) {
  link_.close();
  opening_ = false;
  lost(why);
}

void Redis::lost(const std::string& why) {
  uint64_t now = clock_.now_ms();
  if (trouble_.empty() && now > opened_at_ms_ + kSoundMs) failures_ = 0;
  const char* mend = redis_mend(why);
  std::string trouble = mend ? why + "; " + mend : why;
  bool news = failures_ == 0 || (mend && told_ != mend);
  if (news && connections_ > 0) {
    log_warn((mend ? "Redis refuses: " : "Redis is away: ") + printable(trouble));
    told_ = mend ? mend : "";
  }
  trouble_ = std::move(trouble);
  next_try_ms_ = now + std::min(kLongestPauseMs, kFirstPauseMs << std::min(failures_, 10u));
  failures_++;
}

// Of one answer or pipeline. False: Redis is away now.
bool Redis::judge(const Reply& reply) {
  if (!reply.error() || !redis_mend(reply.text)) return true;
  give_up(reply.text);
  return false;
}

void Redis::took(uint64_t ms) {
  slow_ = ms >= kSlowMs ? slow_ + 1 : 0;
  if (slow_ >= kSlowTimes && link_.connected())
    give_up("its answers take " + std::to_string(ms) + " ms");
}

Reply Redis::command(std::initializer_list<std::string_view> words) {
  if (!ready()) return {};
  std::vector<Bytes> argv;
  for (std::string_view word : words) argv.push_back(bytes(word));
  uint64_t before = clock_.now_ms();
  link_.within(timeout_ms_);
  RedisReply answer = link_.command(argv.data(), argv.size());
  if (!answer) {
    lost(link_.error());
    return {};
  }
  Reply reply = copy(answer, 0);
  if (judge(reply)) took(clock_.now_ms() - before);
  return reply;
}

Reply Redis::run(const Command& command) {
  std::vector<Command> one{command};
  return std::move(pipeline(one).front());
}

std::vector<Reply> Redis::send(const std::vector<const Command*>& commands) {
  std::vector<Reply> replies(commands.size());
  std::vector<Bytes> argv;
  for (size_t begin = 0; begin < commands.size(); begin += kWindow) {
    size_t end = std::min(commands.size(), begin + kWindow);
    bool sound = true;
    uint64_t before = clock_.now_ms();
    link_.within(timeout_ms_ + static_cast<int>(end - begin) * kPerCommandMs);
    for (size_t i = begin; i < end && sound; i++) {
      const Command& command = *commands[i];
      argv.clear();
      for (const std::string& word : command.words) argv.push_back(bytes(word));
      sound = command.script
                  ? link_.append_eval(*command.script, argv.data(), argv.size(), command.keys)
                  : link_.append(argv.data(), argv.size());
    }
    sound = sound && link_.send();
    WBSHIM_FAULT(RedisSent);
    for (size_t i = begin; i < end && sound; i++) {
      RedisReply reply = link_.receive();
      sound = static_cast<bool>(reply);
      if (sound) replies[i] = copy(reply, 0);
    }
    if (!sound) {
      lost(link_.error());
      return replies;
    }
    if (end - begin <= kFew) took(clock_.now_ms() - before);
    if (!link_.connected()) return replies;
  }
  return replies;
}

std::vector<Reply> Redis::pipeline(const std::vector<Command>& commands) {
  if (commands.empty()) return {};
  if (!ready()) return std::vector<Reply>(commands.size());
  std::vector<const Command*> all;
  all.reserve(commands.size());
  for (const Command& command : commands) all.push_back(&command);
  std::vector<Reply> replies = send(all);
  std::vector<const Command*> again;
  std::vector<size_t> where;
  for (size_t i = 0; i < replies.size(); i++) {
    if (replies[i].error() && replies[i].text.rfind("NOSCRIPT", 0) == 0) {
      again.push_back(all[i]);
      where.push_back(i);
    }
  }
  if (!again.empty() && load_scripts()) {
    std::vector<Reply> second = send(again);
    for (size_t i = 0; i < second.size(); i++) replies[where[i]] = std::move(second[i]);
  }
  for (const Reply& reply : replies) {
    if (connected() && !judge(reply)) break;
  }
  return replies;
}

bool Redis::load_scripts() {
  for (const Script* script : scripts::kAll) {
    Reply reply = command({"SCRIPT", "LOAD", script->text});
    if (reply.none()) return false;
    if (reply.error())
      log_error("Redis refuses the script " + std::string(script->name) + ": " + reply.text);
  }
  return true;
}

}  // namespace wbshim
