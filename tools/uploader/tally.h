// What this run of the uploader has done. The numbers start at 0 with each start, as Prometheus
// expects of counters.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace wbshim {

struct Tally {
  uint64_t store_away_since_ms = 0;  // since 1970; 0: it is not
  // Upper bounds of wbshim_upload_lag_seconds, from the first unsaved close to the store's answer.
  static constexpr std::array<double, 10> kLagBounds = {1,   5,    15,    60,    300,
                                                        900, 3600, 14400, 43200, 86400};

  uint64_t uploads = 0;
  uint64_t upload_bytes = 0;
  uint64_t superseded = 0;
  uint64_t early_uploads = 0;  // before they were due, for the sake of room
  uint64_t ahead_bytes = 0;    // of large files, while they were still written
  uint64_t deletes = 0;
  std::map<std::string, uint64_t> errors;  // by class
  std::array<uint64_t, kLagBounds.size() + 1> lag_counts{};
  double lag_sum = 0;
  uint64_t lines_replayed = 0;
  uint64_t lines_damaged = 0;
  uint64_t scans = 0;
  uint64_t watch_events = 0;  // paths that the kernel named
  uint64_t watch_found = 0;   // changes that nobody else had published
  uint64_t watch_losses = 0;  // times when the kernel could not tell

  // What was found after a power loss, or where the staging tree had vanished.
  uint64_t quarantined = 0;
  uint64_t held = 0;
  uint64_t lost = 0;

  void lag(double seconds) {
    size_t i = 0;
    while (i < kLagBounds.size() && seconds > kLagBounds[i]) i++;
    lag_counts[i]++;
    lag_sum += seconds;
  }
  // Class names come from a server: what is no short word counts as "other", and so does the
  // hundredth name.
  void error(const std::string& error_class) {
    bool word = !error_class.empty() && error_class.size() <= 64 &&
                error_class.find_first_not_of(
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
                    std::string::npos;
    bool room = errors.size() < 100 || errors.count(error_class) > 0;
    errors[word && room ? error_class : "other"]++;
  }
};

}  // namespace wbshim
