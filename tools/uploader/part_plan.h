// How a large object is cut into parts. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/store/parts_store.h"

namespace wbshim {

// Up to this size an object is one request; one byte more goes in parts.
inline constexpr uint64_t kWholeUpTo = uint64_t{25} << 20;

// Most parts have this size: each request is worth its round trip, and four of them are 32 MiB.
inline constexpr uint64_t kPartSize = uint64_t{8} << 20;

// In whole MiB, so that kMostParts are enough.
constexpr uint64_t part_size(uint64_t object_size) {
  constexpr uint64_t kMib = uint64_t{1} << 20;
  const uint64_t least = (object_size + kMostParts - 1) / kMostParts;
  return std::max(kPartSize, (least + kMib - 1) / kMib * kMib);
}

// At least one: an object without bytes has an empty part.
constexpr uint64_t part_count(uint64_t object_size, uint64_t size) {
  return std::max<uint64_t>(1, (object_size + size - 1) / size);
}

// Whether parts of that size will do.
constexpr bool parts_fit(uint64_t object_size, uint64_t size) {
  return part_count(object_size, size) <= kMostParts;
}

}  // namespace wbshim
