#include "core/base/fault.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/span.h"
#include "core/base/sys.h"
#include "core/base/text.h"

namespace wbshim::fault {
namespace {

constexpr const char* kNames[] = {
#define WBSHIM_FAULT_POINT(id, name, what) name,
#include "core/base/fault_points.def"
#undef WBSHIM_FAULT_POINT
};
constexpr uint64_t kLongestPauseMs = 60000;

constinit std::atomic<Page*> page = nullptr;
constinit std::atomic<bool> looked = false;
// Of this process, by WBTEST_FAULT.
constinit uint32_t own_point = 0;
constinit uint64_t own_hit = 0;
constinit Action own_action = Action::None;

const char* variable(const char* name, size_t size) {
  for (char** e = environ; e && *e; e++) {
    if (strncmp(*e, name, size) == 0 && (*e)[size] == '=') return *e + size + 1;
  }
  return nullptr;
}

// <point>:<hit>:<action>
void parse_choice(const char* text) {
  size_t n = strcspn(text, ":");
  for (uint32_t i = 0; i < sizeof kNames / sizeof kNames[0]; i++) {
    if (Bytes(text, n) == Bytes(kNames[i])) own_point = i + 1;
  }
  const char* at = text + n;
  if (own_point == 0 || *at != ':') return;
  for (at++; *at >= '0' && *at <= '9'; at++)
    own_hit = own_hit * 10 + static_cast<uint64_t>(*at - '0');
  own_action = strcmp(at, ":pause") == 0 ? Action::Pause : Action::Kill;
}

Page* mapped() {
  Page* at = page.load(std::memory_order_acquire);
  // Two threads may both come here; the page is the same.
  if (at || !environ || looked.exchange(true)) return at;
  const char* file = variable("WBTEST_FAULTS", 13);
  int fd = file ? sys::openat(AT_FDCWD, file, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return nullptr;
  at = static_cast<Page*>(sys::mmap(Page::kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd));
  sys::close(fd);
  if (const char* choice = variable("WBTEST_FAULT", 12)) parse_choice(choice);
  page.store(at, std::memory_order_release);
  return at;
}

[[noreturn]] void die() {
  for (;;) sys::call(SYS_kill, sys::getpid(), SIGKILL);
}

void wait_for_release(const Page& at) {
  uint64_t until = sys::clock_ms(CLOCK_MONOTONIC) + kLongestPauseMs;
  while (at.released.load() == 0) {
    if (sys::clock_ms(CLOCK_MONOTONIC) > until) die();
    struct timespec pause = {0, 500000};
    sys::call(SYS_nanosleep, sys::arg(&pause), 0);
  }
}

}  // namespace

void reach(Point point) {
  Page* at = mapped();
  if (!at) return;
  auto number = static_cast<uint32_t>(point);
  uint64_t hit = at->hits[number].fetch_add(1) + 1;
  bool own = own_point == number + 1;
  if (!own && at->point.load() != number + 1) return;
  Action action = own ? own_action : static_cast<Action>(at->action.load());
  if (action == Action::None || hit < (own ? own_hit : at->hit.load())) return;
  uint32_t nobody = 0;
  if (!at->fired.compare_exchange_strong(nobody, static_cast<uint32_t>(sys::getpid()))) return;
  if (action == Action::Kill) die();
  wait_for_release(*at);
}

}  // namespace wbshim::fault
