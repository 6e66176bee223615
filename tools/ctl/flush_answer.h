// The uploader's answer to FLUSH, line by line (core/base/protocol.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/progress.h"

namespace wbshim::ctl {

struct LeftEntry {
  std::string path;  // relative to the prefix
  std::string reason;
};

class FlushAnswer {
 public:
  // Takes the next line; one that is not understood is passed over, so that a newer uploader may
  // say more.
  void take(std::string_view line);

  bool complete() const { return complete_; }
  bool ok() const { return complete_ && error_.empty(); }
  bool timed_out() const { return error_ == "ETIMEDOUT"; }
  const std::string& message() const { return message_; }  // the sentence of an ERR
  const Amount& amount() const { return amount_; }
  const std::vector<LeftEntry>& left() const { return left_; }

 private:
  bool complete_ = false;
  std::string error_;  // an errno's name
  std::string message_;
  Amount amount_;
  std::vector<LeftEntry> left_;
};

}  // namespace wbshim::ctl
