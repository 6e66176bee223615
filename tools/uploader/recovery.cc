#include "tools/uploader/recovery.h"

#include <stdlib.h>

#include <algorithm>

#include "core/volume/identity.h"

namespace wbshim {
namespace {

constexpr uint64_t kLeastMs = 60000;

uint64_t centiseconds(const char* file) {
  return strtoull(read_small_file(file).c_str(), nullptr, 10) * 10;
}

int64_t ns(uint64_t ms) {
  return static_cast<int64_t>(ms) * 1000000;
}

}  // namespace

uint64_t writeback_ms() {
  uint64_t waits = centiseconds("/proc/sys/vm/dirty_expire_centisecs") +
                   centiseconds("/proc/sys/vm/dirty_writeback_centisecs");
  return std::max(kLeastMs, 2 * waits);
}

Recovery::Recovery(SharedPage* page, uint64_t boot, uint64_t now_ms)
    : page_(page), boot_(boot), pending_(true) {
  if (!page_) return;
  page_->note_boot(boot, now_ms);
  pending_ = boot == 0 || page_->recovered.load() != boot;
}

Suspicion Recovery::suspicion(Durability tier, uint64_t writeback_ms) const {
  if (!pending_ || !page_ || tier != Durability::None) return {};
  uint64_t alive = page_->alive_before_ms.load();
  if (alive == 0) return {};  // the page is new: there was no boot before, or nobody knows of it
  uint64_t from = alive > writeback_ms ? alive - writeback_ms : 0;
  return {ns(std::max(from, page_->settled_ms.load())), ns(page_->boot_seen_ms.load())};
}

void Recovery::done() {
  pending_ = false;
  if (page_) page_->recovered.store(boot_);
}

void Recovery::settled(uint64_t now_ms) {
  if (page_) page_->settled_ms.store(now_ms);
}

}  // namespace wbshim
