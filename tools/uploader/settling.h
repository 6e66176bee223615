// Keys whose last request went unanswered: 16 minutes later, when it cannot arrive any more, a look
// at the store tells what it holds, and settle.lua what follows (PROTOCOL.md 2.6).
#pragma once

#include <string>
#include <unordered_set>

#include "tools/uploader/context.h"

namespace wbshim {

class Settling {
 public:
  explicit Settling(Context& context) : context_(context) {}

  void step();
  size_t in_flight() const { return asked_.size(); }

 private:
  void ask(const std::string& key);

  Context& context_;
  uint64_t look_at_ms_ = 0;
  std::unordered_set<std::string> asked_;
};

}  // namespace wbshim
