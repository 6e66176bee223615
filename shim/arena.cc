#include "shim/arena.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/sys.h"

// First-fit over one block list. Allocations are few (one command, one reply tree at a time) and
// freed at once, so the list stays a handful of entries long; what does not fit gets pages of its
// own.
namespace wbshim::arena {
namespace {

struct Block {
  size_t size;  // of the payload
  size_t used;  // 1 used, 0 free, 2 pages of its own
};
constexpr size_t kSize = 65536;
constexpr size_t kAlign = 16;

alignas(kAlign) char memory[kSize];
constinit bool ready = false;

Block* first() {
  return reinterpret_cast<Block*>(memory);
}
Block* after(Block* b) {
  return reinterpret_cast<Block*>(reinterpret_cast<char*>(b + 1) + b->size);
}
bool inside(const Block* b) {
  return reinterpret_cast<const char*>(b) < memory + kSize;
}

void prepare() {
  first()->size = kSize - sizeof(Block);
  first()->used = 0;
  ready = true;
}

void merge_free() {
  for (Block* b = first(); inside(b); b = after(b)) {
    while (b->used == 0 && inside(after(b)) && after(b)->used == 0)
      b->size += sizeof(Block) + after(b)->size;
  }
}

void* take_pages(size_t n) {
  auto* b = static_cast<Block*>(
      sys::mmap(n + sizeof(Block), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
  if (!b) return nullptr;
  b->size = n;
  b->used = 2;
  return b + 1;
}

void* take(size_t n) {
  if (!ready) prepare();
  n = (n + kAlign - 1) / kAlign * kAlign;
  if (n > kSize / 2) return take_pages(n);
  for (Block* b = first(); inside(b); b = after(b)) {
    if (b->used != 0 || b->size < n) continue;
    if (b->size >= n + 2 * sizeof(Block)) {
      size_t rest = b->size - n - sizeof(Block);
      b->size = n;
      after(b)->size = rest;
      after(b)->used = 0;
    }
    b->used = 1;
    return b + 1;
  }
  return take_pages(n);
}

void give(void* p) {
  if (!p) return;
  Block* b = static_cast<Block*>(p) - 1;
  if (b->used == 2) return sys::munmap(b, b->size + sizeof(Block));
  b->used = 0;
  merge_free();
}

}  // namespace

void reset() {
  ready = false;
}

}  // namespace wbshim::arena

using wbshim::arena::give;
using wbshim::arena::take;

extern "C" {

void* __wrap_malloc(size_t n);
void* __wrap_calloc(size_t n, size_t each);
void* __wrap_realloc(void* p, size_t n);
void __wrap_free(void* p);
char* __wrap_strdup(const char* text);

void* __wrap_malloc(size_t n) {
  return take(n ? n : 1);
}

void* __wrap_calloc(size_t n, size_t each) {
  size_t all;
  if (__builtin_mul_overflow(n, each, &all)) return nullptr;
  void* p = take(all ? all : 1);
  if (p) memset(p, 0, all);
  return p;
}

void* __wrap_realloc(void* p, size_t n) {
  if (!p) return take(n ? n : 1);
  size_t old = (static_cast<wbshim::arena::Block*>(p) - 1)->size;
  if (n <= old) return p;
  void* bigger = take(n);
  if (!bigger) return nullptr;
  memcpy(bigger, p, old);
  give(p);
  return bigger;
}

void __wrap_free(void* p) {
  give(p);
}

char* __wrap_strdup(const char* text) {
  size_t n = strlen(text) + 1;
  void* p = take(n);
  return static_cast<char*>(p ? memcpy(p, text, n) : nullptr);
}

}  // extern "C"
