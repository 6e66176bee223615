#include "tools/uploader/back_pressure.h"

#include <sys/stat.h>

#include "core/base/layout.h"
#include "core/util/display.h"
#include "core/util/log.h"
#include "tools/uploader/leftovers.h"
#include "tools/uploader/open_files.h"

namespace wbshim {
namespace {

using pressure::Level;

constexpr uint64_t kLookMs = 1000;
constexpr uint64_t kLookOftenMs = 100;
constexpr uint64_t kReservePauseMs = 5000;
constexpr uint64_t kCalmMs = 60000;
constexpr uint64_t kSlack = 64 << 10;
// A disk with less than this beside the reserve is full.
constexpr uint64_t kFull = 1 << 20;
constexpr uint64_t kFullInodes = 4;

std::string existing_above(std::string path) {
  struct stat st = {};
  while (path.size() > 1 && stat(path.c_str(), &st) != 0) path.erase(path.rfind('/'));
  return path.empty() ? "/" : path;
}

}  // namespace

BackPressure::BackPressure(Context& context, Gauges& gauges, Uploads& uploads)
    : context_(context),
      gauges_(gauges),
      uploads_(uploads),
      limits_{context.config.max_staged(), context.config.max_stage_write(),
              context.config.free_space_ratio()},
      reserve_(context.config.staging()) {
  sources_ = {
      {"leftovers", [this] { return drop_leftovers(context_.config.staging()); }},
      {"reserve",
       [this] {
         take_reserve_at_ms_ = context_.clock.now_ms() + kReservePauseMs;
         bool given = reserve_.give_up();
         if (given) reserve_given_++;
         return given;
       }},
  };
}

DiskRoom BackPressure::disk() const {
  return look_at_disk(context_.config.in_staging(layout::kTree));
}

void BackPressure::step() {
  if (context_.clock.now_ms() >= next_ms_) refresh(kLookOftenMs);
}

void BackPressure::refresh(uint64_t patience_ms) {
  uint64_t now = context_.clock.now_ms();
  room_ = disk();
  reserve_.look();
  keep_reserve(now);
  view_.total_bytes = room_.total_bytes;
  view_.reserve_bytes = reserve_.bytes();
  view_.free_bytes = room_.free_bytes + reserve_.bytes();
  view_.total_inodes = room_.total_inodes;
  view_.free_inodes = room_.free_inodes + reserve_.inodes();
  const std::string& store = context_.config.store_url();
  view_.store_shares_disk = store.rfind("file://", 0) == 0 &&
                            look_at_disk(existing_above(store.substr(7))).device == room_.device;
  view_.staged_bytes = count_staged(patience_ms);
  view_.files_writing = count_writing(now);
  judged_ = judge(view_, limits_);
  uploads_.set_early(judged_.early_bytes);
  tell_library();
  log_level(now);
  bool often = limits_.max_staged > 0 || judged_.tight || judged_.level != Level::None;
  next_ms_ = now + (often ? kLookOftenMs : kLookMs);
}

// Gives the reserve up when the disk is full: journal, Redis, stdio and mappings cannot ask for it.
void BackPressure::keep_reserve(uint64_t now) {
  if (!room_.known) return;
  uint64_t least = std::min(kFull, std::max(kSlack, reserve_.bytes() / 4));
  bool full =
      room_.free_bytes < least || (room_.total_inodes > 0 && room_.free_inodes < kFullInodes);
  if (full) {
    take_reserve_at_ms_ = now + kReservePauseMs;
    if (!reserve_.give_up()) return;
    reserve_given_++;
    room_ = disk();
  } else if (now >= take_reserve_at_ms_) {
    take_reserve_at_ms_ = now + kLookMs;
    reserve_.take(room_);
    room_ = disk();
  }
}

uint64_t BackPressure::count_staged(uint64_t patience_ms) {
  // Summing up a long queue costs time: only where it counts.
  if (limits_.max_staged == 0 || !context_.redis.connected()) return gauges_.last().bytes;
  uint64_t sum = gauges_.refresh(patience_ms).bytes;
  if (!context_.page) return sum;
  auto cap = static_cast<int64_t>(std::min<uint64_t>(limits_.max_staged, INT64_MAX));
  if (gauges_.current())
    context_.page->stage_room.store(cap - static_cast<int64_t>(sum), std::memory_order_relaxed);
  // An old sum knows nothing of what was closed since; the library's account does.
  int64_t room = context_.page->stage_room.load(std::memory_order_relaxed);
  return room > cap ? 0 : static_cast<uint64_t>(cap) - static_cast<uint64_t>(room);
}

// The library's count, but for what killed processes have left of it.
uint64_t BackPressure::count_writing(uint64_t now) {
  if (!context_.page || limits_.max_stage_write == 0) return 0;
  std::atomic<int64_t>& word = context_.page->writing;
  int64_t told = word.load(std::memory_order_relaxed);
  bool doubtful = told < 0 || static_cast<uint64_t>(told) > limits_.max_stage_write / 2;
  if (doubtful && now >= recount_at_ms_) {
    uint64_t begun = context_.clock.now_ms();
    std::optional<uint64_t> found =
        count_open_for_writing(context_.config.in_staging(layout::kTree), context_.config.prefix());
    // By the difference: what was opened meanwhile stays counted.
    word.fetch_add(static_cast<int64_t>(found.value_or(0)) - told, std::memory_order_relaxed);
    uint64_t taken = context_.clock.now_ms() - begun;
    recount_at_ms_ = now + std::max<uint64_t>(kLookMs, 20 * taken);
    told = word.load(std::memory_order_relaxed);
  }
  return told > 0 ? static_cast<uint64_t>(told) : 0;
}

bool BackPressure::store_helps() const {
  bool stalled = stalled_at_uploads_ == context_.tally.uploads + 1;
  return !context_.health.away() && context_.redis.connected() && !stalled;
}

bool BackPressure::room_is_coming() const {
  return judged_.uploads_help && store_helps();
}

void BackPressure::tell_library() const {
  SharedPage* page = context_.page;
  if (!page) return;
  bool helps = store_helps();
  uint64_t word = judged_.word();
  if (!helps) word &= ~pressure::kThrough;
  if (room_is_coming()) word |= pressure::kWait;
  if (limits_.max_staged > 0 && helps) word |= pressure::kCapped;
  page->most_writing.store(helps ? limits_.max_stage_write : 0, std::memory_order_relaxed);
  page->pressure_at.store(context_.clock.now_ms(), std::memory_order_relaxed);
  page->pressure.store(word, std::memory_order_relaxed);
}

bool BackPressure::enough(const DiskRoom& room, uint64_t wanted) const {
  bool bytes = wanted != UINT64_MAX && room.free_bytes >= wanted + kSlack;
  return room.known && bytes && (room.total_inodes == 0 || room.free_inodes > 0);
}

bool BackPressure::make_room(uint64_t wanted) {
  if (enough(disk(), wanted)) return true;
  bool made = false;
  for (const RoomSource& source : sources_) {
    if (!source.give()) continue;
    made = true;
    log_info(std::string("a full disk: room was made from the ") + source.name);
    if (enough(disk(), wanted)) break;
  }
  if (made) refresh();
  return made;
}

void BackPressure::log_level(uint64_t now) {
  if (judged_.level != Level::None) calm_since_ms_ = now;
  if (judged_.level == Level::None && now >= calm_since_ms_ + kCalmMs) logged_ = Level::None;
  if (judged_.level <= logged_) return;
  logged_ = judged_.level;
  const char* what = judged_.through           ? "files are stored before their close returns"
                     : judged_.early_bytes > 0 ? "files are uploaded before their delay"
                     : judged_.causes == pressure::kFiles
                         ? "the next ones are stored at their close"
                         : "uploads would make no room on this disk";
  log_warn("room runs out (" + causes() + "): " + what);
}

void BackPressure::end() {
  SharedPage* page = context_.page;
  if (!page) return;
  page->pressure.store(0, std::memory_order_relaxed);
  page->most_writing.store(0, std::memory_order_relaxed);
}

}  // namespace wbshim
