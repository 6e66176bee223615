// When keys that end are renewed. Pure.
#pragma once

#include <cstdint>

namespace wbshim {

// From this long before their end new ones are asked for, …
inline constexpr uint64_t kRefreshFrom_ms = uint64_t{15} * 60 * 1000;
// … and from this long before it, a failure is followed by the next try much sooner.
inline constexpr uint64_t kRefreshBy_ms = uint64_t{10} * 60 * 1000;

// The time of the next try; 0: none, the keys have no end that is known. Times are since 1970.
// looked_ms: when the last one ended, failed: how; 0: there was none.
uint64_t next_refresh_ms(uint64_t expires_ms, uint64_t looked_ms, bool failed);

}  // namespace wbshim
