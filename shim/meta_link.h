// This process' connection to Redis, and the lock around it. Made on the first publish, kept;
// dropped in fork's child; its descriptor stands high, is close-on-exec, and is checked for
// identity before each use (programs close and reuse numbers).
#pragma once

#include "core/base/breaker.h"
#include "core/base/redis_link.h"

namespace wbshim {

// Holding one is holding the lock. Not held: the lock belongs to the code that a signal
// interrupted, or another thread keeps it too long, or Redis is away (the breaker shared by all
// processes is open) or cannot be reached. Then: the journal.
class MetaLink {
 public:
  MetaLink();
  ~MetaLink();
  MetaLink(const MetaLink&) = delete;
  MetaLink& operator=(const MetaLink&) = delete;

  bool held() const { return held_; }

  // As RedisLink::eval; a connection that turns out to be dead is made again once. No reply: the
  // breaker is open now.
  RedisReply eval(const Script& script, const Bytes* argv, size_t argc, size_t keys);

 private:
  void spent(uint64_t ms);

  bool held_ = false;
  // What connecting and all answers together may take.
  int budget_ms_ = Breaker::kPatienceMs;
  uint64_t waited_ms_ = 0;  // since the last answer
};

}  // namespace wbshim
