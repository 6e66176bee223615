#include "tools/uploader/part_plan.h"

#include <doctest/doctest.h>

using namespace wbshim;

TEST_CASE("part plan: sizes of parts hold S3's limits for every size of object") {
  constexpr uint64_t kMib = uint64_t{1} << 20;
  for (uint64_t size : {uint64_t{0}, uint64_t{1}, 25 * kMib - 1, 25 * kMib, 25 * kMib + 1,
                        kPartSize * kMostParts - 1, kPartSize * kMostParts,
                        kPartSize * kMostParts + 1, 123456 * kMib + 17, kMostObject}) {
    const uint64_t part = part_size(size), count = part_count(size, part);
    CAPTURE(size);
    CHECK(part >= kLeastPart);
    CHECK(part <= kMostPart);
    CHECK(part % kMib == 0);
    CHECK(count >= 1);
    CHECK(count <= kMostParts);
    CHECK(count * part >= size);
    CHECK((size == 0 || (count - 1) * part < size));
    CHECK(parts_fit(size, part));
  }
  CHECK(part_size(kPartSize * kMostParts) == kPartSize);
  CHECK(part_size(kPartSize * kMostParts + 1) == kPartSize + kMib);
  CHECK_FALSE(parts_fit(kPartSize * kMostParts + 1, kPartSize));
}
