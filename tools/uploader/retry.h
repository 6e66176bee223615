// How long to wait before the next try. Pure: the random number is handed in.
#pragma once

#include <cstdint>
#include <functional>

namespace wbshim {

// Answers with a number from 0 (included) to 1 (excluded).
using Random = std::function<double()>;

struct RetryPolicy {
  uint64_t base_ms = 500;
  uint64_t ceiling_ms = 60000;
};

// attempt: 1 after the first failure. The pause doubles from base to ceiling; the upper half of it
// is left to chance, so that many that failed together do not come back together.
uint64_t retry_ms(unsigned attempt, const RetryPolicy& policy, double random);

// Back-off by class of failure.
inline constexpr RetryPolicy kTryLater{500, 60000};
inline constexpr RetryPolicy kCredentials{5000, 20000};
inline constexpr RetryPolicy kBlocked{1000, 20000};
inline constexpr RetryPolicy kStorePause{200, 10000};
// So often a path keeps its place in the queue while the store fails; then others try it, too.
inline constexpr unsigned kPatientTries = 3;
inline constexpr uint64_t kDeadRetryMs = 3600000;  // dead letters are tried again hourly
inline constexpr uint64_t kWritingMs = 1000;       // somebody still writes
inline constexpr uint64_t kBusyMs = 1000;          // somebody else sends this key

// A source for the daemon.
Random system_random();

}  // namespace wbshim
