// What a person must mend: a hash in Redis, path -> {"class","message","attempts","time"}. The
// paths stay in the delay queue and are tried again hourly, or when shim-ctl retry says so; success
// takes them off the list.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/util/clock.h"
#include "core/volume/redis.h"
#include "core/volume/volume.h"

namespace wbshim {

// Classes of those whose record is failed: nothing is tried again by itself.
inline constexpr char kQuarantined[] = "Quarantined";  // its file is in quarantine/
inline constexpr char kUnverified[] = "Unverified";    // its file may be torn
inline constexpr char kLost[] = "Lost";                // its file is gone
inline bool waits_for_person(const std::string& error_class) {
  return error_class == kQuarantined || error_class == kUnverified || error_class == kLost;
}

struct DeadLetter {
  std::string path;
  std::string error_class;
  std::string message;
  uint64_t attempts = 0;
  uint64_t time_ms = 0;
};

class DeadLetters {
 public:
  DeadLetters(Redis& redis, const Volume& volume, const Clock& clock)
      : redis_(redis), volume_(volume), clock_(clock) {}

  // Learns which paths are listed.
  void load();
  void add(const std::string& path, const std::string& error_class, const std::string& message,
           uint64_t attempts);
  // Cheap when the path is not listed.
  void remove(const std::string& path);
  // Removes those whose file is gone by its record: nobody can mend them any more. One call looks
  // at a part of the list, the next one at the next part.
  void drop_gone();
  bool has(const std::string& path) const { return known_.count(path) > 0; }
  size_t count() const { return known_.size(); }
  std::vector<DeadLetter> list(size_t limit);

 private:
  Redis& redis_;
  const Volume& volume_;
  const Clock& clock_;
  std::set<std::string> known_;
  std::string dropped_up_to_;
};

}  // namespace wbshim
