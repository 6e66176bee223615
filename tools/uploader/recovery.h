// After a reboot: which changes may not have reached the disk, and whether the tree has been judged
// yet. Until it has, nothing is uploaded, deleted or replayed: a torn file must not pass for the
// last state of its path.
//
// The shared page tells when the last sign of life before this boot was; the page itself may be as
// old as the kernel's write-back allows, which makes the span longer, never shorter.
#pragma once

#include <cstdint>

#include "core/base/options.h"
#include "core/base/shared_page.h"
#include "tools/uploader/scan_rule.h"

namespace wbshim {

// How long a change may wait in the page cache before the kernel has written it (vm.dirty_*),
// doubled; at least a minute.
uint64_t writeback_ms();

class Recovery {
 public:
  // boot: this one. page: may be null; then every start counts as the first one of a boot.
  Recovery(SharedPage* page, uint64_t boot, uint64_t now_ms);

  bool pending() const { return pending_; }
  // What is not recorded and was changed then may be torn. In tier none only: from local on, what
  // was acknowledged is on disk, and what was not is what any disk would have.
  Suspicion suspicion(Durability tier, uint64_t writeback_ms) const;
  // The whole tree has been judged.
  void done();

  // An orderly end: everything up to now_ms has been synced.
  void settled(uint64_t now_ms);

 private:
  SharedPage* page_;
  uint64_t boot_;
  bool pending_;
};

}  // namespace wbshim
