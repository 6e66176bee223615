// What a volume looks like from here, without the uploader: read from Redis and from the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/journal.h"
#include "core/util/clock.h"
#include "core/util/config.h"
#include "core/volume/redis.h"
#include "core/volume/volume.h"
#include "tools/ctl/local_entries.h"
#include "tools/ctl/oldest.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {

// A connection to the volume's Redis, and its keys. The client id is empty when nobody has used the
// staging directory yet.
class VolumeLink {
 public:
  explicit VolumeLink(const Config& config);

  Redis& redis() { return redis_; }
  const Volume& volume() const { return volume_; }
  const Clock& clock() const { return clock_; }

 private:
  SystemClock clock_;
  Volume volume_;
  Redis redis_;
};

// Lines of the current journal and of those that the uploader has taken but not finished.
void for_each_journal_line(const Config& config,
                           const std::function<void(const journal::Line&)>& tell);

// Redis does not answer: the line for the user, with the mend.
Outcome redis_away(const Config& config, const Redis& redis);

struct DeadLetter {
  std::string path;
  std::string error_class;
  std::string message;
  uint64_t attempts = 0;
  uint64_t time_ms = 0;  // since 1970
};

struct VolumeView {
  bool redis_answers = false;
  std::string redis_trouble;  // why not
  std::string client;
  uint64_t waiting = 0;  // entries of the delay queue: files, links, directories
  uint64_t files = 0;    // of these, files, and their bytes
  uint64_t bytes = 0;
  std::optional<OldestEntry> oldest;  // of the entries that wait
  uint64_t oldest_ms = 0;             // age of the first unsaved close among them
  uint64_t deletions = 0;             // objects to be deleted
  uint64_t settling = 0;              // unanswered requests that are checked later
  uint64_t journal_lines = 0;         // changes that Redis does not know yet
  LocalCount local;                   // FIFOs, sockets and devices: not stored
  std::vector<DeadLetter> dead;
};

// details: files, bytes, oldest and oldest_ms, which ask for the record of every waiting entry.
VolumeView look_at_volume(const Config& config, bool details);

}  // namespace wbshim::ctl
