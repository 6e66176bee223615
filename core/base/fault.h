// Named steps at which a test ends a process, or stops it to end somebody else: fault_points.def. Only builds with
// -Dfaults=true have them; in the others WBSHIM_FAULT is nothing.
//
// WBTEST_FAULTS names a file of FaultPage that all processes of the test map. What is to happen stands in that page (the test may
// choose anew while the processes run), or, for this process and its children alone, in
//   WBTEST_FAULT=<point>:<hit>:<kill|pause>      as close-closed:3:kill
// hit counts the visits of the point by all processes since the page was made. It happens once: until the test clears `fired`.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/fault_config.h"

namespace wbshim::fault {

enum class Point : unsigned {
#define WBSHIM_FAULT_POINT(id, name, what) id,
#include "core/base/fault_points.def"
#undef WBSHIM_FAULT_POINT
  kCount
};

enum class Action : uint32_t {
  None,
  Kill,   // SIGKILL to oneself
  Pause,  // until `released`; a minute at most, then Kill
};

struct Page {
  static constexpr size_t kSize = 4096;

  std::atomic<uint32_t> point;   // 1 + the chosen one's; 0: none
  std::atomic<uint32_t> action;  // Action
  std::atomic<uint64_t> hit;     // it happens at this visit, or at the next one after it
  std::atomic<uint32_t> fired;   // process to which it happened; 0: nobody yet
  std::atomic<uint32_t> released;
  std::atomic<uint64_t> reserved[5];
  std::atomic<uint64_t> hits[static_cast<unsigned>(Point::kCount)];
};
static_assert(sizeof(Page) <= Page::kSize);

// Counts the visit; what was chosen happens. Raw system calls, errno is kept.
void reach(Point point);

}  // namespace wbshim::fault

#if WBSHIM_FAULTS
#define WBSHIM_FAULT(id) ::wbshim::fault::reach(::wbshim::fault::Point::id)
#else
#define WBSHIM_FAULT(id) static_cast<void>(0)
#endif
