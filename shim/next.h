// The next libc: one pointer per entry point, found by dlsym(RTLD_NEXT) the first time it is wanted
// (0.3 µs each; resolving all at load would cost every process 50 µs). Our own code never calls an
// interposed name directly.
#pragma once

#include <atomic>

#include "shim/entry_types.h"

namespace wbshim {

struct Next {
#define WB_FN(ret, name, params, ...) ret(*name) params;
#define WB_FN_VARIADIC(ret, name, params, body) ret(*name) params;
#include "shim/entry_points.def"
#undef WB_FN
#undef WB_FN_VARIADIC
};

enum class Entry : unsigned {
#define WB_FN(ret, name, params, ...) name,
#define WB_FN_VARIADIC(ret, name, params, body) name,
#include "shim/entry_points.def"
#undef WB_FN
#undef WB_FN_VARIADIC
  kCount
};
inline constexpr unsigned kEntryCount = static_cast<unsigned>(Entry::kCount);

extern std::atomic<void*> next_slots[kEntryCount];

// Never null: a function that the libc at hand does not have answers -1 with ENOSYS.
void* resolve_next(Entry entry);

inline void* next_of(Entry entry) {
  void* known = next_slots[static_cast<unsigned>(entry)].load(std::memory_order_relaxed);
  return __builtin_expect(known != nullptr, 1) ? known : resolve_next(entry);
}

#define NEXT(name) \
  (reinterpret_cast<decltype(::wbshim::Next::name)>(::wbshim::next_of(::wbshim::Entry::name)))

}  // namespace wbshim
