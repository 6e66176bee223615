#include "shim/room.h"

#include <sys/statfs.h>

#include "core/base/reserve.h"
#include "core/base/sys.h"
#include "shim/uploader_call.h"

namespace wbshim::room {
namespace {

constexpr uint64_t kOpenMs = 5000;
constexpr uint64_t kSpaceMs = 1000;
constexpr uint64_t kMostWanted = 1 << 20;
constexpr uint64_t kFlushSlack = 64 << 10;
constexpr int kMostTries = 4;

// Files that this process has counted in the shared page, and not yet taken off again.
constinit std::atomic<int> counted = 0;

}  // namespace

void wait_before_open() {
  SharedPage& page = client::page();
  uint64_t word = page.pressure.load(std::memory_order_relaxed);
  bool over = (word & pressure::kCapped) && page.stage_room.load(std::memory_order_relaxed) <= 0;
  if (!(word & pressure::kWait) && !over) return;
  if (!pressure::fresh(page)) return;
  int saved = errno;
  page.add(Counter::RoomWaits);
  uploader_call::wait_for_room(kOpenMs);
  errno = saved;
}

void opened() {
  counted.fetch_add(1, std::memory_order_relaxed);
  client::page().writing.fetch_add(1, std::memory_order_relaxed);
}

void closed() {
  int own = counted.load(std::memory_order_relaxed);
  while (own > 0 && !counted.compare_exchange_weak(own, own - 1)) {
  }
  if (own > 0) client::page().writing.fetch_sub(1, std::memory_order_relaxed);
}

void forked() {
  counted.store(0, std::memory_order_relaxed);
}

void leaving() {
  client::page().writing.fetch_sub(counted.exchange(0), std::memory_order_relaxed);
}

Cause to_store(uint64_t size) {
  SharedPage& page = client::page();
  uint64_t word = page.pressure.load(std::memory_order_relaxed);
  Cause cause = Cause::None;
  if (word & pressure::kCapped) {
    auto bytes = static_cast<int64_t>(size < INT64_MAX ? size : INT64_MAX);
    if (page.stage_room.fetch_sub(bytes, std::memory_order_relaxed) < bytes) cause = Cause::Staged;
  }
  uint64_t most = page.most_writing.load(std::memory_order_relaxed);
  if (most > 0 && page.writing.load(std::memory_order_relaxed) > static_cast<int64_t>(most))
    cause = Cause::Files;
  if (word & pressure::kThrough) cause = word & pressure::kStaged ? Cause::Staged : Cause::Space;
  return cause != Cause::None && pressure::fresh(page) ? cause : Cause::None;
}

void store(Bytes rel, Cause cause) {
  static constexpr Counter kCounters[] = {Counter::WriteThroughStaged, Counter::WriteThroughStaged,
                                          Counter::WriteThroughSpace, Counter::WriteThroughFiles};
  int saved = errno;
  client::page().add(kCounters[static_cast<unsigned>(cause)]);
  if (!uploader_call::relieve(rel)) client::page().add(Counter::WriteThroughLeft);
  errno = saved;
}

void before_flush(int fd, size_t bytes, bool last) {
  uint64_t word = client::page().pressure.load(std::memory_order_relaxed);
  if (bytes == 0 || !(last || (word & pressure::kTight))) return;
  struct statfs fs {};
  if (sys::call(SYS_fstatfs, fd, sys::arg(&fs)) != 0) return;
  uint64_t wanted = bytes + kFlushSlack;
  if (static_cast<uint64_t>(fs.f_bavail) * static_cast<uint64_t>(fs.f_bsize) >= wanted) return;
  int saved = errno;
  Again again;
  again.after(ENOSPC, wanted);
  errno = saved;
}

bool Again::ask(int error, uint64_t wanted) {
  SharedPage& page = client::page();
  if (++tries_ > kMostTries || !client::active()) return false;
  uint64_t now = sys::clock_ms(CLOCK_BOOTTIME);
  bool made = false;
  if (page.no_room_until.load(std::memory_order_relaxed) <= now) {
    uint64_t bytes = error == EDQUOT ? UINT64_MAX : wanted < kMostWanted ? wanted : kMostWanted;
    using uploader_call::Answer;
    Answer answer = uploader_call::make_space(bytes, kSpaceMs);
    // Nobody else can give the reserve up then.
    made =
        answer == Answer::Yes || (answer == Answer::Nobody && reserve::give_up(settings.staging));
    // Who writes on and on into a full disk must not wait each time.
    if (!made)
      page.no_room_until.store(sys::clock_ms(CLOCK_BOOTTIME) + kSpaceMs, std::memory_order_relaxed);
  }
  page.add(made ? Counter::EnospcRetries : Counter::EnospcFailures);
  errno = error;
  return made;
}

}  // namespace wbshim::room
