// From the deletion queue to the store: due -> CLAIM -> DELETE -> FINISH. A deletion waits for
// every upload that was due before it: of a rename, the new name is stored before the old one goes
// (PROTOCOL.md 3.1).
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/uploader/context.h"
#include "tools/uploader/uploads.h"

namespace wbshim {

// How a try at a key ended: gone for good (deleted, or wanted by a new record), or not.
struct DeleteEvent {
  std::string key;
  bool done = false;
  bool dead = false;  // a person must mend it
  std::string message;
};

class Deletes {
 public:
  Deletes(Context& context, Uploads& uploads) : context_(context), uploads_(uploads) {}

  std::function<void(const DeleteEvent&)> on_event;

  // Deletions of versions up to this generation may come from an old snapshot of Redis, which knows
  // nothing of what was stored since: the store is asked first, and a newer object stays.
  void doubt(uint64_t generation) { doubted_ = generation; }

  void step(size_t room);
  void kick() { look_at_ms_ = 0; }
  uint64_t next_ms() const {
    if (blocked_) return UINT64_MAX;  // another request ends first
    return context_.health.paused() ? context_.health.paused_until() : look_at_ms_;
  }
  // The end: requests whose answer has not come may still arrive, and Redis is told so.
  void give_up();
  bool sending(const std::string& key) const;
  size_t in_flight() const { return flights_.size() + ended_.size(); }

 private:
  struct Flight {
    std::string key;
    uint64_t generation = 0;
  };
  struct Ended {
    Flight flight;
    StoreResult result;
    bool kept = false;  // the object is newer than its deletion
  };
  void send(const std::string& key, uint64_t dated_ms);
  void ask_first(const std::string& key, uint64_t dated_ms);
  void end(const std::string& key, StoreResult result, bool kept);
  std::vector<std::string> choose(size_t room);
  void report();
  void event(const std::string& key, bool done, bool dead = false, const std::string& message = {});

  Context& context_;
  Uploads& uploads_;
  uint64_t look_at_ms_ = 0;
  bool blocked_ = false;
  uint64_t doubted_ = 0;
  std::unordered_map<std::string, Flight> flights_;
  std::vector<Ended> ended_;
  std::unordered_map<std::string, unsigned> attempts_;
};

}  // namespace wbshim
