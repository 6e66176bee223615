#include "tools/uploader/pressure_policy.h"

#include <doctest/doctest.h>

using namespace wbshim;
using pressure::Level;

namespace {

constexpr uint64_t kMega = uint64_t{1} << 20;

PressureView roomy() {
  PressureView view;
  view.total_bytes = 1000 * kMega;
  view.free_bytes = 900 * kMega;
  view.total_inodes = 10000;
  view.free_inodes = 9000;
  return view;
}

PressureLimits limits(uint64_t max_staged, uint64_t max_writing, double ratio) {
  return {max_staged, max_writing, ratio};
}

}  // namespace

TEST_CASE("pressure: without limits nothing presses, whatever there is") {
  PressureView view = roomy();
  view.staged_bytes = UINT64_MAX;
  view.files_writing = UINT64_MAX;
  view.free_bytes = 20 * kMega;
  view.free_inodes = 100;
  CHECK(judge(view, limits(0, 0, 0)) == Pressure{});
  CHECK(judge(view, limits(0, 0, 0)).word() == 0);
}

TEST_CASE("pressure: staged bytes, at both sides of each mark") {
  const struct {
    uint64_t staged;
    Level level;
    uint64_t early;
  } rows[] = {{0, Level::None, 0},     {799, Level::None, 0},    {800, Level::Soft, 1},
              {999, Level::Soft, 200}, {1000, Level::Hard, 201}, {5000, Level::Hard, 4201}};
  for (const auto& row : rows) {
    CAPTURE(row.staged);
    PressureView view = roomy();
    view.staged_bytes = row.staged;
    Pressure found = judge(view, limits(1000, 0, 0));
    CHECK(found.level == row.level);
    CHECK(found.early_bytes == row.early);
    CHECK(found.causes == (row.level == Level::None ? 0 : pressure::kStaged));
    CHECK(found.through == (row.level == Level::Hard));
    CHECK(found.uploads_help == (row.level == Level::Hard));
  }
}

TEST_CASE("pressure: what is uploaded early takes staged bytes below the soft mark") {
  for (uint64_t cap : {uint64_t{1}, uint64_t{4}, uint64_t{1000}, uint64_t{12345678}}) {
    for (uint64_t staged : {cap, cap * 2, cap * 10}) {
      PressureView view = roomy();
      view.staged_bytes = staged;
      view.staged_bytes -= judge(view, limits(cap, 0, 0)).early_bytes;
      CAPTURE(cap);
      CHECK(judge(view, limits(cap, 0, 0)).level == Level::None);
    }
  }
}

TEST_CASE("pressure: free bytes and inodes, at both sides of each mark") {
  const struct {
    uint64_t percent10;  // of the total, in tenths of a per cent
    Level level;
  } rows[] = {{151, Level::None},
              {149, Level::Soft},
              {101, Level::Soft},
              {99, Level::Hard},
              {0, Level::Hard}};
  for (const auto& row : rows) {
    CAPTURE(row.percent10);
    PressureView view = roomy();
    view.free_bytes = view.total_bytes / 1000 * row.percent10;
    Pressure found = judge(view, limits(0, 0, 0.1));
    CHECK(found.level == row.level);
    CHECK(found.through == (row.level == Level::Hard));
    CHECK_FALSE(found.uploads_help);
    CHECK(found.early_bytes == (row.level == Level::None ? 0 : UINT64_MAX));
    view = roomy();
    view.free_inodes = view.total_inodes / 1000 * row.percent10;
    found = judge(view, limits(0, 0, 0.1));
    CHECK(found.level == row.level);
    CHECK(found.causes == (row.level == Level::None ? 0 : pressure::kInodes));
  }
}

TEST_CASE("pressure: a file system without a number of inodes has none too few") {
  PressureView view = roomy();
  view.total_inodes = view.free_inodes = 0;
  CHECK(judge(view, limits(0, 0, 0.1)) == Pressure{});
}

TEST_CASE("pressure: a store on the same disk makes no room, so free space moves nobody") {
  PressureView view = roomy();
  view.free_bytes = 20 * kMega;
  view.store_shares_disk = true;
  Pressure found = judge(view, limits(1000, 0, 0.1));
  CHECK(found.level == Level::Hard);
  CHECK(found.causes == pressure::kSpace);
  CHECK_FALSE(found.through);
  CHECK(found.early_bytes == 0);
  // Staged bytes are another matter.
  view.staged_bytes = 1000;
  found = judge(view, limits(1000, 0, 0.1));
  CHECK(found.through);
  CHECK(found.early_bytes == 201);
}

TEST_CASE("pressure: files open for writing: over the limit, and nothing of it makes others wait") {
  PressureView view = roomy();
  view.files_writing = 1000;
  CHECK(judge(view, limits(0, 1000, 0)) == Pressure{});
  view.files_writing = 1001;
  Pressure found = judge(view, limits(0, 1000, 0));
  CHECK(found.level == Level::Hard);
  CHECK(found.causes == pressure::kFiles);
  CHECK_FALSE(found.through);
  CHECK_FALSE(found.uploads_help);
  CHECK(found.early_bytes == 0);
}

TEST_CASE("pressure: the highest level counts, with its causes only; what each asks for adds up") {
  PressureView view = roomy();
  view.staged_bytes = 900;                  // soft
  view.free_bytes = view.total_bytes / 20;  // hard
  Pressure found = judge(view, limits(1000, 0, 0.1));
  CHECK(found.level == Level::Hard);
  CHECK(found.causes == pressure::kSpace);
  CHECK(found.early_bytes == UINT64_MAX);
  CHECK_FALSE(found.uploads_help);
}

TEST_CASE("pressure: tight when little is free beside the reserve, ratio or not") {
  PressureView view = roomy();
  view.reserve_bytes = 10 * kMega;
  view.free_bytes = 91 * kMega;
  CHECK_FALSE(judge(view, limits(0, 0, 0)).tight);
  view.free_bytes = 89 * kMega;
  CHECK(judge(view, limits(0, 0, 0)).tight);
  CHECK(judge(view, limits(0, 0, 0)).word() == pressure::kTight);
  view.free_bytes = 900 * kMega;
  view.free_inodes = 5;
  CHECK(judge(view, limits(0, 0, 0)).tight);
}
