#include "shim/descriptors.h"

#include <atomic>

#include "core/base/sys.h"
#include "shim/borrowed.h"
#include "shim/client.h"

namespace wbshim::descriptors {
namespace {

constinit std::atomic<uint16_t> table[kMost] = {};
constinit std::atomic<int> references[kSlots] = {};  // 0: free
constinit Slot slots[kSlots] = {};
// Every process asks at its end: among the variables with values, whose page its start has touched.
[[gnu::section(".data")]] constinit std::atomic<bool> writing_seen = false;
constinit std::atomic<int> highest = -1;

constexpr uint16_t kFirst = static_cast<uint16_t>(Mark::FirstSlot);

void set(int fd, uint16_t value) {
  table[fd].store(value, std::memory_order_release);
  int old = highest.load(std::memory_order_relaxed);
  while (old < fd && !highest.compare_exchange_weak(old, fd, std::memory_order_relaxed)) {
  }
}

int take_slot() {
  for (unsigned i = 0; i < kSlots; i++) {
    int free = 0;
    if (references[i].load(std::memory_order_relaxed) == 0 &&
        references[i].compare_exchange_strong(free, 1)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

uint16_t make_slot(Bytes rel, uint64_t baseline) {
  int i = take_slot();
  if (i < 0) return static_cast<uint16_t>(Mark::Writing);
  Slot& slot = slots[i];
  slot.pid = client::owner();
  slot.baseline = baseline;
  slot.moves = client::page().moves.load(std::memory_order_relaxed);
  slot.path_size = rel.size <= kSlotPath ? static_cast<uint16_t>(rel.size) : 0;
  if (slot.path_size > 0) memcpy(slot.path, rel.data, rel.size);
  return static_cast<uint16_t>(kFirst + i);
}

}  // namespace

void opened(int fd, bool writing, Bytes rel) {
  if (fd < 0) return;
  if (client::borrowed_memory()) {
    if (writing) borrowed::note(fd);
    return;
  }
  borrowed::forget(fd);
  if (writing) writing_seen.store(true, std::memory_order_relaxed);
  if (fd >= kMost) return;
  set(fd, writing ? make_slot(rel, 0) : static_cast<uint16_t>(Mark::Inside));
}

void named(int fd, Bytes rel, uint64_t moves) {
  if (fd < 0 || fd >= kMost || rel.size > kSlotPath || client::borrowed_memory()) return;
  uint16_t value = table[fd].load(std::memory_order_acquire);
  if (value < kFirst) return;
  Slot& slot = slots[value - kFirst];
  if (slot.path_size > 0) return;
  slot.moves = moves;
  memcpy(slot.path, rel.data, rel.size);
  slot.path_size = static_cast<uint16_t>(rel.size);
}

void duplicated(int from, int to) {
  if (from == to) return;
  if (borrowed::holds(from)) return borrowed::note(to);
  if (from < 0 || to < 0 || from >= kMost || to >= kMost) return;
  uint16_t value = table[from].load(std::memory_order_acquire);
  if (value == 0 || client::borrowed_memory()) return;
  if (value >= kFirst) references[value - kFirst].fetch_add(1);
  set(to, value);
}

Mark mark(int fd) {
  if (static_cast<unsigned>(fd) < static_cast<unsigned>(kMost)) {
    return static_cast<Mark>(table[fd].load(std::memory_order_acquire));
  }
  return fd >= kMost && any_writing() ? Mark::Writing : Mark::None;
}

void dropped(int fd, Dropped* what) {
  what->publish = false;
  what->path_size = 0;
  what->baseline = 0;
  what->borrowed = client::borrowed_memory();
  if (fd >= kMost) {
    what->publish = true;
    return;
  }
  if (borrowed::holds(fd)) {
    borrowed::forget(fd);
    what->publish = true;
    return;
  }
  uint16_t value = what->borrowed ? table[fd].load() : table[fd].exchange(0);
  if (value < kFirst) {
    what->publish = static_cast<Mark>(value) == Mark::Writing;
    return;
  }
  Slot& slot = slots[value - kFirst];
  what->baseline = slot.baseline;
  what->moves = slot.moves;
  what->path_size = slot.path_size;
  if (slot.path_size > 0) memcpy(what->path, slot.path, slot.path_size);
  if (what->borrowed) return;  // the parent still has it: its close publishes
  what->publish = references[value - kFirst].fetch_sub(1) == 1;
}

void each_writing(void (*visit)(int, const Slot*, void*), void* context) {
  int last = highest.load(std::memory_order_relaxed);
  for (int fd = 0; fd <= last; fd++) {
    uint16_t value = table[fd].load(std::memory_order_acquire);
    if (value >= kFirst)
      visit(fd, &slots[value - kFirst], context);
    else if (static_cast<Mark>(value) == Mark::Writing)
      visit(fd, nullptr, context);
  }
}

bool any_writing() {
  return writing_seen.load(std::memory_order_relaxed);
}

void forget(unsigned first, unsigned last) {
  if (client::borrowed_memory()) return;
  int end = highest.load(std::memory_order_relaxed);
  for (unsigned fd = first; fd <= last && static_cast<int>(fd) <= end; fd++) {
    uint16_t value = table[fd].exchange(0);
    if (value >= kFirst) references[value - kFirst].fetch_sub(1);
  }
}

void inherited(const char* marker) {
  const char* p = marker;
  while (*p) {
    int fd = 0;
    uint64_t baseline = 0;
    bool good = *p >= '0' && *p <= '9';
    while (*p >= '0' && *p <= '9' && fd < kMost) fd = fd * 10 + (*p++ - '0');
    if (*p == ':') p++;
    for (;; p++) {
      if (*p >= '0' && *p <= '9')
        baseline = baseline * 16 + static_cast<uint64_t>(*p - '0');
      else if (*p >= 'a' && *p <= 'f')
        baseline = baseline * 16 + static_cast<uint64_t>(*p - 'a' + 10);
      else
        break;
    }
    if (good && fd < kMost && table[fd].load() == 0) {
      set(fd, make_slot({}, baseline));
      writing_seen.store(true, std::memory_order_relaxed);
    }
    while (*p && *p != ',') p++;
    if (*p == ',') p++;
  }
}

}  // namespace wbshim::descriptors
