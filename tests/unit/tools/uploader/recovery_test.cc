#include "tools/uploader/recovery.h"

#include <doctest/doctest.h>

using namespace wbshim;

namespace {

constexpr int64_t kMs = 1000000;

// A page that was alive in boot 1, last at `alive`.
void used(SharedPage& page, uint64_t alive) {
  page.note_boot(1, 1000);
  page.recovered.store(1);
  page.alive_ms.store(alive);
}

}  // namespace

TEST_CASE("the first start of a boot judges the tree, the next ones do not") {
  SharedPage page{};
  Recovery first(&page, 7, 5000);
  CHECK(first.pending());
  first.done();
  CHECK_FALSE(first.pending());
  CHECK_FALSE(Recovery(&page, 7, 6000).pending());
  CHECK(Recovery(&page, 8, 7000).pending());
  CHECK(Recovery(nullptr, 7, 5000).pending());
}

TEST_CASE("suspect is what changed from a write-back before the last sign of life to the reboot") {
  SharedPage page{};
  used(page, 100000);
  Recovery recovery(&page, 2, 500000);
  Suspicion span = recovery.suspicion(Durability::None, 60000);
  CHECK(span.from_ns == 40001 * kMs);
  CHECK(span.until_ns == 500000 * kMs);
  // In the other tiers what was acknowledged is on disk.
  CHECK(recovery.suspicion(Durability::Local, 60000).until_ns == 0);
  recovery.done();
  CHECK(recovery.suspicion(Durability::None, 60000).until_ns == 0);
}

TEST_CASE("the library may see the new boot first; signs of life since do not shorten the span") {
  SharedPage page{};
  used(page, 100000);
  page.note_boot(2, 500000);
  page.alive_ms.store(510000);
  page.note_boot(2, 520000);
  Recovery recovery(&page, 2, 530000);
  Suspicion span = recovery.suspicion(Durability::None, 60000);
  CHECK(span.from_ns == 40001 * kMs);
  CHECK(span.until_ns == 500000 * kMs);
}

TEST_CASE("a page that is new knows of no power loss") {
  SharedPage page{};
  Recovery recovery(&page, 7, 5000);
  CHECK(recovery.pending());
  CHECK(recovery.suspicion(Durability::None, 60000).until_ns == 0);
}

TEST_CASE("what an orderly stop has synced is no suspect") {
  SharedPage page{};
  used(page, 100000);
  Recovery(&page, 1, 90000).settled(99000);
  CHECK(Recovery(&page, 2, 500000).suspicion(Durability::None, 60000).from_ns == 99000 * kMs);
}

TEST_CASE("the write-back span is the kernel's, doubled, and at least a minute") {
  CHECK(writeback_ms() >= 60000);
}
