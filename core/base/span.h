// A run of bytes that belongs to somebody else. No libstdc++ behind it: the library links none.
#pragma once

#include <cstddef>
#include <cstring>

namespace wbshim {

struct Bytes {
  const char* data = nullptr;
  size_t size = 0;

  constexpr Bytes() = default;
  constexpr Bytes(const char* d, size_t n) : data(d), size(n) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Bytes(const char* text) : data(text), size(text ? strlen(text) : 0) {}

  bool operator==(const Bytes& other) const {
    return size == other.size && (size == 0 || memcmp(data, other.data, size) == 0);
  }
  bool starts_with(Bytes head) const {
    return size >= head.size && (head.size == 0 || memcmp(data, head.data, head.size) == 0);
  }
};

}  // namespace wbshim
