// Compares the whole staging tree with Redis, a slice at a time: what a killed program, a lost
// journal line or a lost event of the kernel left behind is published.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tools/uploader/context.h"
#include "tools/uploader/tree_walk.h"

namespace wbshim {

class Scan {
 public:
  explicit Scan(Context& context);

  // Records up to this generation may miss in the tree without having been removed (the tree is not
  // the one they were made in).
  void set_floor(uint64_t generation) { walk_.set_floor(generation); }

  void set_durable(bool durable) { walk_.set_durable(durable); }
  void set_suspicion(const Suspicion& suspicion) { walk_.set_suspicion(suspicion); }

  // One whole pass that begins after this call.
  void request() { requested_ = true; }
  // Works for about `ms`. True: there is more to do now.
  bool step(uint64_t ms);
  bool running() const { return running_ || requested_; }
  // Number of the last pass begun, and of the last one that reached its end. A pass wanted by
  // request() has the number begun() + 1 or higher.
  uint64_t begun() const { return begun_; }
  uint64_t finished() const { return finished_; }

  // Redis has lost what it knew: one whole pass, and who relies on an earlier one begins again.
  void request_anew() {
    losses_++;
    request();
  }
  uint64_t losses() const { return losses_; }

  // What the last finished pass could not look into, and why: nothing is known of what lies there.
  const std::map<std::string, std::string>& unreadable() const { return unreadable_; }

  // A renamed directory, at once: everything in the tree below it is looked at, and what Redis has
  // below it and the tree has not was removed by us (records up to base). False: Redis is away.
  bool walk(const std::string& directory, uint64_t base);

 private:
  void cannot_read(const std::string& path, int error);
  void begin(const std::string& path);

  Context& context_;
  bool requested_ = false;
  bool running_ = false;
  bool failed_ = false;
  uint64_t begun_ = 0;
  uint64_t finished_ = 0;
  uint64_t retry_at_ms_ = 0;
  TreeWalk walk_;
  uint64_t losses_ = 0;
  std::map<std::string, std::string> unreadable_, unreadable_now_;  // of the last pass, of this one
};

}  // namespace wbshim
