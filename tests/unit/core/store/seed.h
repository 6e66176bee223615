// Random cases that can be repeated: the seed is printed, and taken from WBSHIM_TEST_SEED if set.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <random>

namespace wbshim::test {

inline std::mt19937_64 random_source(const char* what) {
  const char* given = getenv("WBSHIM_TEST_SEED");
  const unsigned long long seed =
      given != nullptr ? strtoull(given, nullptr, 10) : std::random_device{}();
  printf("%s: WBSHIM_TEST_SEED=%llu\n", what, seed);
  return std::mt19937_64(seed);
}

}  // namespace wbshim::test
