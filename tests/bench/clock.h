// Time and order statistics for the benchmark drivers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wbshim::bench {

// CLOCK_MONOTONIC in nanoseconds.
uint64_t now_ns();

// The middle one of the values, which are sorted in place; 0 when there are none.
uint64_t median(uint64_t* values, size_t count);

// Ends the process with exit status 1 and a line on stderr that names `what` and errno.
[[noreturn]] void die(const char* what);

}  // namespace wbshim::bench
