#include "shim/next.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

namespace wbshim {

constinit std::atomic<void*> next_slots[kEntryCount] = {};

namespace {

// The names as one block without pointers: pointers would be relocated in every process that loads
// us.
struct Names {
#define WB_FN(ret, name, params, ...) char name[sizeof #name];
#define WB_FN_VARIADIC(ret, name, params, body) char name[sizeof #name];
#include "shim/entry_points.def"
#undef WB_FN
#undef WB_FN_VARIADIC
};
constexpr Names kNames = {
#define WB_FN(ret, name, params, ...) #name,
#define WB_FN_VARIADIC(ret, name, params, body) #name,
#include "shim/entry_points.def"
#undef WB_FN
#undef WB_FN_VARIADIC
};
constexpr uint16_t kNameAt[kEntryCount] = {
#define WB_FN(ret, name, params, ...) offsetof(Names, name),
#define WB_FN_VARIADIC(ret, name, params, body) offsetof(Names, name),
#include "shim/entry_points.def"
#undef WB_FN
#undef WB_FN_VARIADIC
};

}  // namespace

namespace {

long absent() {
  errno = ENOSYS;
  return -1;
}

}  // namespace

void* resolve_next(Entry entry) {
  int saved = errno;
  unsigned i = static_cast<unsigned>(entry);
  void* found = dlsym(RTLD_NEXT, reinterpret_cast<const char*>(&kNames) + kNameAt[i]);
  if (!found) found = reinterpret_cast<void*>(&absent);
  next_slots[i].store(found, std::memory_order_relaxed);
  errno = saved;
  return found;
}

}  // namespace wbshim
