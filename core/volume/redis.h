// Redis for the tools: strings in, values out, over core/base/redis_link.h. It connects by itself,
// with back-off and without waiting, and says once in the log that Redis went away and once that it
// is back. Away is also a Redis that refuses everybody (redis_refusal.h), and one whose answers take
// nearly the time-out again and again.
//
// Thread safety: none. Every call is bounded by the time-out, a little more for a long pipeline; when
// Redis is known to be away, it returns at once. No exceptions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/redis_link.h"
#include "core/util/clock.h"

namespace wbshim {

struct Reply {
  using Kind = RedisReply::Kind;
  Kind kind = Kind::None;  // None: no answer; the command may have been done or not
  int64_t integer = 0;
  std::string text;  // of Text, Status and Error
  std::vector<Reply> items;

  bool none() const { return kind == Kind::None; }
  bool nil() const { return kind == Kind::Nil; }
  bool error() const { return kind == Kind::Error; }
  // An answer that is no error.
  explicit operator bool() const { return !none() && !error(); }
};

// One command of a pipeline: words, or a script with its keys and arguments.
struct Command {
  std::vector<std::string> words;
  const Script* script = nullptr;
  size_t keys = 0;
};

class Redis {
 public:
  Redis(const RedisAddress& address, int timeout_ms, const Clock& clock);
  ~Redis() { link_.close(); }
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  // What a new connection must have answered before it counts; PING unless somebody says otherwise.
  // A daemon that only writes has no use for a Redis that only answers.
  void set_probe(std::vector<std::string> command) { probe_ = std::move(command); }
  const std::vector<std::string>& probe() const { return probe_; }
  const RedisAddress& address() const { return address_; }

  // Connected, or connected just now. False: away, or on its way; tried again at the earliest after
  // a pause that grows to 2 s. Does not wait for a Redis that is slow to greet.
  bool ready();
  // Tries at once, pause or not, and waits for the outcome.
  bool connect();
  bool connected() const { return link_.connected() && !opening_; }
  // For poll(): -1 unless a connection is on its way.
  int wanted_fd() const { return opening_ ? link_.fd() : -1; }
  short wanted_events() const;
  // Goes up by one with each new connection: what was learned about the server may be stale.
  uint64_t connections() const { return connections_; }
  // Why Redis is away, without secrets; empty while it is there.
  const std::string& trouble() const { return trouble_; }

  Reply command(std::initializer_list<std::string_view> words);
  Reply run(const Command& command);
  // One reply a command, in order. A script that Redis did not know is loaded and its commands are
  // sent again: they then run after the rest.
  std::vector<Reply> pipeline(const std::vector<Command>& commands);

  // SCRIPT LOAD of every script. False: away.
  bool load_scripts();

 private:
  RedisLink::Step begin();
  RedisLink::Step wait_a_little(int ms);
  bool arrived(RedisLink::Step step);
  void give_up(const std::string& why);
  void lost(const std::string& why);
  bool judge(const Reply& reply);
  void took(uint64_t ms);
  std::vector<Reply> send(const std::vector<const Command*>& commands);

  RedisAddress address_;
  int timeout_ms_;
  const Clock& clock_;
  std::unique_ptr<char[]> room_;  // before the connection that reads through it
  RedisLink link_;
  uint64_t connections_ = 0;
  unsigned failures_ = 0;
  uint64_t next_try_ms_ = 0;
  uint64_t opened_at_ms_ = 0;
  bool opening_ = false;
  unsigned slow_ = 0;  // slow answers in a row
  std::vector<std::string> probe_;
  std::string trouble_;
  std::string told_;  // to the log
};

}  // namespace wbshim
