#include "shim/pointers.h"

#include <errno.h>
#include <linux/futex.h>

#include "core/base/sys.h"

namespace wbshim::pointers {

constinit std::atomic<uintptr_t> known[kKnown] = {};

namespace {

// A call that reads a set of signals before it sees that it does not know what to do with it.
bool can_read(uintptr_t at) {
  constexpr long kNoSuchChange = 0x7fffffff;
  return sys::call(SYS_rt_sigprocmask, kNoSuchChange, static_cast<long>(at), 0, 8) != -EFAULT;
}

// "Or" a word with nothing, and wake nobody.
bool can_write(uintptr_t at) {
  constexpr long kOrNothing = FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0);
  auto word = static_cast<long>(at);
  return sys::call(SYS_futex, word, FUTEX_WAKE_OP_PRIVATE, 0, 0, word, kOrNothing) != -EFAULT;
}

// Texts, read as words (both machines are little-endian).
using Word [[gnu::may_alias]] = uint64_t;
constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

}  // namespace

bool ask(uintptr_t page, uintptr_t kind) {
  // Page 0 is nobody's, though some kernels would let it be mapped: what lies there is a null pointer and a small number.
  if (page == 0 || !(kind == kWrite ? can_write(page) : can_read(page))) return false;
  std::atomic<uintptr_t>& place = place_of(page);
  uintptr_t found = place.load(std::memory_order_relaxed);
  uintptr_t kinds = (found & ~(kPage - 1)) == page ? found & (kPage - 1) : 0;
  place.store(page | kinds | kind, std::memory_order_relaxed);
  return true;
}

namespace {

// Its high bit in each byte that is 0, no other bit (exact, unlike the shorter test for "any").
uint64_t zero_bytes(uint64_t word) {
  return ~(((word & ~kHighs) + ~kHighs) | word | ~kHighs);
}

// The text by aligned words, which never reach into another page; bytes before the text count as
// 0xff. visit(word) sees all up to the one with the NUL.
template <typename Visit>
inline size_t walk(const char* text, size_t most, Visit visit) {
  auto at = reinterpret_cast<uintptr_t>(text);
  if (!usable(at, kRead)) return kNone;
  uintptr_t end = most > UINTPTR_MAX - at ? UINTPTR_MAX : at + most;
  uintptr_t word_at = at & ~(sizeof(uint64_t) - 1);
  uint64_t before = (UINT64_C(1) << (at % sizeof(uint64_t) * 8)) - 1;
  for (;;) {
    uint64_t word = *reinterpret_cast<const Word*>(word_at) | before;
    before = 0;
    visit(word);
    if (uint64_t zeros = (word - kOnes) & ~word & kHighs) {
      uintptr_t nul = word_at + static_cast<unsigned>(__builtin_ctzll(zeros)) / 8;
      return nul < end ? nul - at : kNone;
    }
    word_at += sizeof(uint64_t);
    if (word_at >= end || (word_at % kPage == 0 && !usable(word_at, kRead))) return kNone;
  }
}

}  // namespace

size_t length(const char* text, size_t most) {
  return walk(text, most, [](uint64_t) {});
}

Shape shape(const char* path) {
  uint64_t found = 0, slash_before = 0;  // in the lowest byte: whether the last word ended in '/'
  Shape shape;
  shape.size = walk(path, kPathMost, [&](uint64_t word) {
    uint64_t slashes = zero_bytes(word ^ kOnes * '/');
    // '.' and '/' differ in one bit. What follows the NUL is not the path's: a "/\0/" is no pair,
    // and garbage behind it at worst costs its caller a second look.
    found |= zero_bytes((word | kOnes) ^ kOnes * '/') & (slashes << 8 | slash_before);
    slash_before = slashes >> 56;
  });
  shape.pairs = found != 0;
  return shape;
}

bool vector(char* const* list) {
  for (;; list++) {
    if (!readable(list, sizeof *list)) return false;
    if (!*list) return true;
  }
}

bool vector_of_texts(char* const* list) {
  if (!vector(list)) return false;
  for (; *list; list++) {
    if (length(*list, SIZE_MAX) == kNone) return false;
  }
  return true;
}

}  // namespace wbshim::pointers
