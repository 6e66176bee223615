// An object of our own, written and deleted: whether the store does anything (store_health.h says
// when to ask).
#pragma once

#include "tools/uploader/context.h"

namespace wbshim {

class StoreProbe {
 public:
  explicit StoreProbe(Context& context) : context_(context) {}

  void step();
  uint64_t next_ms() const {
    return context_.health.wants_probe() && !asked_ ? context_.health.paused_until() : UINT64_MAX;
  }
  size_t in_flight() const { return asked_ ? 1 : 0; }

 private:
  Context& context_;
  bool asked_ = false;
};

}  // namespace wbshim
