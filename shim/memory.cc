// The string functions of libc that the library uses, its own: hidden, so that they bind here and
// not to the program's. A sanitizer's or an allocator's version of them may not be ready when our
// constructor runs (clang's ThreadSanitizer crashes), and would watch memory that is none of the
// program's. Paths are short; nothing here is worth vector code.
#include <stddef.h>
#include <stdint.h>

namespace {

using Byte = unsigned char;

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

uint64_t load(const void* p) {
  uint64_t word;
  __builtin_memcpy(&word, p, sizeof word);
  return word;
}
void store(void* p, uint64_t word) {
  __builtin_memcpy(p, &word, sizeof word);
}

bool aligned(const void* p) {
  return reinterpret_cast<uintptr_t>(p) % sizeof(uint64_t) == 0;
}

// Whether a byte of the word is 0 (Hacker's Delight, 6-1).
bool has_zero(uint64_t word) {
  return ((word - kOnes) & ~word & kHighs) != 0;
}

const char* end_of(const char* s) {
  while (!aligned(s)) {
    if (!*s) return s;
    s++;
  }
  // An aligned word never reaches into a page that the text does not.
  while (!has_zero(load(s))) s += sizeof(uint64_t);
  while (*s) s++;
  return s;
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t n) {
  auto* d = static_cast<Byte*>(to);
  auto* s = static_cast<const Byte*>(from);
  for (; n >= 8; n -= 8, d += 8, s += 8) store(d, load(s));
  for (; n > 0; n--) *d++ = *s++;
  return to;
}

void* __memcpy_chk(void* to, const void* from, size_t n, size_t room) {
  return memcpy(to, from, n < room ? n : room);
}

void* memmove(void* to, const void* from, size_t n) {
  auto* d = static_cast<Byte*>(to);
  auto* s = static_cast<const Byte*>(from);
  if (d <= s || d >= s + n) return memcpy(to, from, n);
  while (n >= 8) {
    n -= 8;
    store(d + n, load(s + n));
  }
  while (n > 0) {
    n--;
    d[n] = s[n];
  }
  return to;
}

void* memset(void* to, int byte, size_t n) {
  auto* d = static_cast<Byte*>(to);
  uint64_t word = kOnes * static_cast<Byte>(byte);
  for (; n >= 8; n -= 8, d += 8) store(d, word);
  for (; n > 0; n--) *d++ = static_cast<Byte>(byte);
  return to;
}

int memcmp(const void* one, const void* other, size_t n) {
  auto* a = static_cast<const Byte*>(one);
  auto* b = static_cast<const Byte*>(other);
  for (; n >= 8 && load(a) == load(b); n -= 8, a += 8, b += 8) {
  }
  for (; n > 0; n--, a++, b++) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}

void* memchr(const void* in, int byte, size_t n) {
  auto* p = static_cast<const Byte*>(in);
  for (; n > 0; n--, p++) {
    if (*p == static_cast<Byte>(byte)) return const_cast<Byte*>(p);
  }
  return nullptr;
}

void* memmem(const void* in, size_t n, const void* what, size_t m) {
  auto* p = static_cast<const Byte*>(in);
  for (; n >= m; n--, p++) {
    if (memcmp(p, what, m) == 0) return const_cast<Byte*>(p);
  }
  return nullptr;
}

size_t strlen(const char* s) {
  return static_cast<size_t>(end_of(s) - s);
}

size_t strnlen(const char* s, size_t n) {
  const void* end = memchr(s, '\0', n);
  return end ? static_cast<size_t>(static_cast<const char*>(end) - s) : n;
}

int strcmp(const char* a, const char* b) {
  for (; *a && *a == *b; a++, b++) {
  }
  return static_cast<Byte>(*a) - static_cast<Byte>(*b);
}

int strncmp(const char* a, const char* b, size_t n) {
  for (; n > 0 && *a && *a == *b; a++, b++, n--) {
  }
  return n == 0 ? 0 : static_cast<Byte>(*a) - static_cast<Byte>(*b);
}

char* strncpy(char* to, const char* from, size_t n) {
  size_t k = strnlen(from, n);
  memcpy(to, from, k);
  memset(to + k, 0, n - k);
  return to;
}

char* strchr(const char* s, int c) {
  for (;; s++) {
    if (*s == static_cast<char>(c)) return const_cast<char*>(s);
    if (!*s) return nullptr;
  }
}

char* strrchr(const char* s, int c) {
  const char* found = nullptr;
  for (;; s++) {
    if (*s == static_cast<char>(c)) found = s;
    if (!*s) return const_cast<char*>(found);
  }
}

char* strstr(const char* in, const char* what) {
  size_t m = strlen(what);
  for (;; in++) {
    if (strncmp(in, what, m) == 0) return const_cast<char*>(in);
    if (!*in) return nullptr;
  }
}

size_t strcspn(const char* s, const char* reject) {
  size_t n = 0;
  while (s[n] && !strchr(reject, s[n])) n++;
  return n;
}

}  // extern "C"
