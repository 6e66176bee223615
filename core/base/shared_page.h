// What all processes of one client share: <staging>/run/shared, mapped MAP_SHARED by the library on
// first use and by the uploader. Plain atomics, no locks; a damaged page costs statistics and time,
// never data. Survives restarts.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/span.h"

namespace wbshim {

enum class Counter : unsigned {
#define WBSHIM_COUNTER(id, metric, help) id,
#include "core/base/counters.def"
#undef WBSHIM_COUNTER
  kCount
};

struct SharedPage {
  static constexpr uint64_t kMagic = 0x31306d6968736277;  // "wbshim01"
  static constexpr size_t kSize = 4096;

  std::atomic<uint64_t> magic;
  std::atomic<uint64_t> seen_gen;       // highest generation Redis has answered to this client
  std::atomic<uint64_t> redis_breaker;  // breaker.h; not 0: Redis is away
  std::atomic<uint64_t>
      scan_needed;  // not 0: a publish is known to be lost; the uploader scans and resets it
  std::atomic<uint64_t> journal_lines;  // appended since the page was made; the uploader compares
  std::atomic<uint64_t>
      links;  // not 0: the tree may hold symbolic links, so names of parents need resolving
  std::atomic<uint64_t>
      moves;  // names removed or renamed in the tree: while it stands, remembered names hold
  std::atomic<uint64_t> redis_waited_ms;  // for slow answers, since the last quick one
  std::atomic<uint64_t> uploader_beat;    // CLOCK_BOOTTIME ms when the uploader last said it lives
  // Back-pressure, see core/base/pressure.h.
  std::atomic<uint64_t> pressure;     // the word that the uploader writes
  std::atomic<uint64_t> pressure_at;  // CLOCK_BOOTTIME ms when it was written
  std::atomic<int64_t> stage_room;    // bytes up to WBSHIM_MAX_STAGED; each close takes its own off
  std::atomic<int64_t> writing;       // files open for writing, about
  std::atomic<uint64_t> most_writing;   // WBSHIM_MAX_STAGE_WRITE; 0: none
  std::atomic<uint64_t> no_room_until;  // CLOCK_BOOTTIME ms; nobody asks for room before
  std::atomic<uint64_t> reserved[1];
  std::atomic<uint64_t> counters[128];
  std::atomic<uint64_t> durability;  // of the volume, set by its uploader (Durability, options.h)
  // What a power loss is told from; times are CLOCK_REALTIME ms. See note_boot().
  std::atomic<uint64_t> boot;             // the kernel's boot in which the page was last used
  std::atomic<uint64_t> boot_seen_ms;     // when it was first seen
  std::atomic<uint64_t> alive_ms;         // the last sign of life
  std::atomic<uint64_t> alive_before_ms;  // the same of the boot before
  std::atomic<uint64_t>
      settled_ms;  // what was changed before is on disk (an orderly stop synced it)
  std::atomic<uint64_t> recovered;  // the boot for which the uploader has judged the tree

  void add(Counter which, uint64_t n = 1) {
    counters[static_cast<unsigned>(which)].fetch_add(n, std::memory_order_relaxed);
  }
  // boot: of this kernel, from its boot_id. The first to come after a boot keeps what the last one
  // left; a page that is older than the power loss makes the time before it look shorter, never
  // longer.
  void note_boot(uint64_t now_boot, uint64_t now_ms);
  void saw(uint64_t gen) {
    uint64_t old = seen_gen.load(std::memory_order_relaxed);
    while (old < gen && !seen_gen.compare_exchange_weak(old, gen, std::memory_order_relaxed)) {
    }
  }
};
static_assert(sizeof(SharedPage) <= SharedPage::kSize);
static_assert(static_cast<unsigned>(Counter::kCount) <= 128);

// The kernel's boot as a number: the first 8 hex digits of its boot_id; 0: not to be had.
uint64_t this_boot();
uint64_t boot_number(Bytes text);

// Opens (and makes, when absent) the page under the staging directory. Null when it cannot be had.
// Keeps errno. Making it, once for a staging directory, syncs its file system.
SharedPage* map_shared_page(const char* staging_dir);

}  // namespace wbshim
