// Pointers that a program passes, looked at before anything is read or written through them: where the
// kernel would answer EFAULT, the call goes to it as it came, and the kernel answers.
//
// Only the kernel knows what is mapped. It is asked once a page and kind (some 120 ns, without effect),
// and what it said is remembered, so that a call whose arguments lie where earlier ones lay costs a
// comparison. A page that is unmapped after it was met is met as libc's own functions would meet it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace wbshim::pointers {

inline constexpr uintptr_t kPage = 4096;
inline constexpr uintptr_t kRead = 1, kWrite = 2;

inline constexpr unsigned kKnown = 256;       // pages remembered
extern std::atomic<uintptr_t> known[kKnown];  // a page's address, and what may be done there

inline std::atomic<uintptr_t>& place_of(uintptr_t page) {
  return known[(page / kPage) % kKnown];
}

// Asks the kernel.
bool ask(uintptr_t page, uintptr_t kind);

inline bool usable(uintptr_t at, uintptr_t kind) {
  uintptr_t page = at & ~(kPage - 1);
  uintptr_t found = place_of(page).load(std::memory_order_relaxed);
  return __builtin_expect((found & ~(kPage - 1)) == page && (found & kind) != 0, 1) ||
         ask(page, kind);
}

inline bool usable(const void* p, size_t n, uintptr_t kind) {
  auto at = reinterpret_cast<uintptr_t>(p);
  if (n == 0) return true;
  if (n - 1 > UINTPTR_MAX - at) return false;
  for (uintptr_t page = at & ~(kPage - 1);; page += kPage) {
    if (!usable(page, kind)) return false;
    if (page == ((at + n - 1) & ~(kPage - 1))) return true;
  }
}

// Whether n bytes can be read, written. Null is no address.
inline bool readable(const void* p, size_t n) {
  return usable(p, n, kRead);
}
inline bool writable(void* p, size_t n) {
  return usable(p, n, kWrite);
}

// The length of a text that can be read up to its NUL, which must come within `most` bytes; else
// kNone.
inline constexpr size_t kNone = SIZE_MAX;
size_t length(const char* text, size_t most);

inline constexpr size_t kPathMost = 4096;  // the kernel refuses a longer path unread

// What the first and only pass over a path tells of it.
struct Shape {
  size_t size = kNone;  // as length() of kPathMost
  bool pairs = false;   // somewhere a '/' is followed by a '/' or a '.'
};
Shape shape(const char* path);
inline bool path(const char* text) {
  return length(text, kPathMost) != kNone;
}

// Whether a vector of pointers can be read up to its null; of texts: those, too.
bool vector(char* const* list);
bool vector_of_texts(char* const* list);

}  // namespace wbshim::pointers
