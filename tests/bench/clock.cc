#include "tests/bench/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>

namespace wbshim::bench {

uint64_t now_ns() {
  struct timespec t {};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

uint64_t median(uint64_t* values, size_t count) {
  if (count == 0) return 0;
  std::sort(values, values + count);
  return values[count / 2];
}

void die(const char* what) {
  perror(what);
  exit(1);
}

}  // namespace wbshim::bench
