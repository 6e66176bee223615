#include "shim/borrowed.h"

#include "shim/client.h"

namespace wbshim::borrowed {

constinit std::atomic<bool> noted = false;

namespace {

constinit std::atomic<uint64_t> notes[kMost / 64] = {};

bool within(int fd) {
  return fd >= 0 && fd < kMost;
}
uint64_t bit(int fd) {
  return UINT64_C(1) << (fd % 64);
}

}  // namespace

void note(int fd) {
  if (!within(fd)) return;
  notes[fd / 64].fetch_or(bit(fd), std::memory_order_relaxed);
  noted.store(true, std::memory_order_relaxed);
}

bool look_for(int fd) {
  return within(fd) && (notes[fd / 64].load(std::memory_order_relaxed) & bit(fd)) &&
         client::borrowed_memory();
}

void forget(int fd) {
  if (noted.load(std::memory_order_relaxed) && within(fd))
    notes[fd / 64].fetch_and(~bit(fd), std::memory_order_relaxed);
}

void each(void (*visit)(int fd, void* context), void* context) {
  if (!noted.load(std::memory_order_relaxed) || !client::borrowed_memory()) return;
  for (int i = 0; i < kMost / 64; i++) {
    for (uint64_t left = notes[i].load(std::memory_order_relaxed); left != 0; left &= left - 1) {
      visit(i * 64 + __builtin_ctzll(left), context);
    }
  }
}

}  // namespace wbshim::borrowed
