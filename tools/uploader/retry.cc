#include "tools/uploader/retry.h"

#include <algorithm>
#include <memory>
#include <random>

namespace wbshim {

uint64_t retry_ms(unsigned attempt, const RetryPolicy& policy, double random) {
  unsigned doublings = std::min(attempt > 0 ? attempt - 1 : 0, 32u);
  uint64_t pause = policy.ceiling_ms;
  if (policy.base_ms < policy.ceiling_ms >> doublings) pause = policy.base_ms << doublings;
  double chance = std::clamp(random, 0.0, 1.0);
  const uint64_t half = pause / 2;
  return half + static_cast<uint64_t>(static_cast<double>(pause - half) * chance);
}

Random system_random() {
  auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
  return [engine] { return std::uniform_real_distribution<double>(0.0, 1.0)(*engine); };
}

}  // namespace wbshim
