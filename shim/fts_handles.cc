#include "shim/fts_handles.h"

#include <atomic>

#include "shim/libc_heap.h"

namespace wbshim::fts_handles {
namespace {

// Places are taken and given back, never freed, so that a reader needs no lock.
struct Block {
  std::atomic<const FTS*> places[15];
  std::atomic<Block*> next;
};
constinit Block first = {};
constinit std::atomic<int> count = 0;

std::atomic<const FTS*>* place_of(const FTS* wanted) {
  for (Block* block = &first; block; block = block->next.load(std::memory_order_acquire)) {
    for (auto& place : block->places) {
      if (place.load(std::memory_order_relaxed) == wanted) return &place;
    }
  }
  return nullptr;
}

bool take_place(Block* block, const FTS* handle) {
  for (auto& place : block->places) {
    const FTS* empty = nullptr;
    if (place.compare_exchange_strong(empty, handle, std::memory_order_acq_rel)) return true;
  }
  return false;
}

// What follows the last block, made if it has to be; null when memory is short.
Block* following(Block* block) {
  Block* next = block->next.load(std::memory_order_acquire);
  if (next) return next;
  auto* made = static_cast<Block*>(libc_heap::take(sizeof(Block)));
  if (!made) return nullptr;
  new (made) Block();
  if (block->next.compare_exchange_strong(next, made, std::memory_order_acq_rel)) return made;
  libc_heap::give(made);
  return next;
}

}  // namespace

bool add(const FTS* handle) {
  for (Block* block = &first; block; block = following(block)) {
    if (!take_place(block, handle)) continue;
    count.fetch_add(1, std::memory_order_acq_rel);
    return true;
  }
  return false;
}

void remove(const FTS* handle) {
  auto* place = place_of(handle);
  if (!place) return;
  count.fetch_sub(1, std::memory_order_acq_rel);
  place->store(nullptr, std::memory_order_release);
}

bool ours(const FTS* handle) {
  return count.load(std::memory_order_acquire) != 0 && handle && place_of(handle);
}

}  // namespace wbshim::fts_handles
