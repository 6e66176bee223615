// How far the server's clock is from the one that dates the requests, and the correction. Pure.
//
// Nothing is corrected before the server has refused a request for its time: a Date header alone
// may be anybody's. A correction that does not help is taken back.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wbshim {

class ClockSkew {
 public:
  // The date to sign with.
  uint64_t corrected(uint64_t ms) const {
    return static_cast<uint64_t>(static_cast<int64_t>(ms) + offset_ms_);
  }
  int64_t offset_ms() const { return offset_ms_; }

  // A request was refused, perhaps for its time. dated_ms: as it was before corrected(); took_ms: from
  // sending to the answer; date: the answer's header. True: the correction has changed, so another
  // try is worth it.
  bool refused(uint64_t dated_ms, uint64_t took_ms, std::string_view date);

 private:
  int64_t offset_ms_ = 0;
};

// "Sun, 06 Nov 1994 08:49:37 GMT" in ms since 1970; nothing for anything else.
std::optional<int64_t> parse_http_date(std::string_view text);

}  // namespace wbshim
