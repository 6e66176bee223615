#include "core/base/crc32c.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <atomic>
#endif

namespace wbshim {
namespace {

struct Table {
  uint32_t entry[256];
  constexpr Table() : entry() {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) ? 0x82f63b78U : 0);
      entry[i] = value;
    }
  }
};
constexpr Table kTable;

#if defined(__x86_64__)

// Below this the table is done before the processor has been asked what it can (a hypervisor may
// take microseconds to answer).
constexpr size_t kWorthAsking = 1024;

bool has_instruction() {
  enum : int { kUnknown, kNo, kYes };
  static constinit std::atomic<int> known = kUnknown;
  int answer = known.load(std::memory_order_relaxed);
  if (answer == kUnknown) {
    unsigned a, b, c = 0, d;
    answer = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) ? kYes : kNo;
    known.store(answer, std::memory_order_relaxed);
  }
  return answer == kYes;
}

__attribute__((target("sse4.2"))) uint32_t by_instruction(Bytes bytes, uint32_t before) {
  const char* at = bytes.data;
  size_t left = bytes.size;
  uint64_t crc = ~before;
  for (; left >= sizeof(uint64_t); at += sizeof(uint64_t), left -= sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto rest = static_cast<uint32_t>(crc);
  for (; left > 0; at++, left--) {
    rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(*at));
  }
  return ~rest;
}

#endif

}  // namespace

uint32_t crc32c_by_table(Bytes bytes, uint32_t before) {
  uint32_t crc = ~before;
  for (size_t i = 0; i < bytes.size; i++) {
    crc = kTable.entry[(crc ^ static_cast<unsigned char>(bytes.data[i])) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

uint32_t crc32c(Bytes bytes, uint32_t before) {
#if defined(__x86_64__)
  if (bytes.size >= kWorthAsking && has_instruction()) return by_instruction(bytes, before);
#endif
  return crc32c_by_table(bytes, before);
}

}  // namespace wbshim
