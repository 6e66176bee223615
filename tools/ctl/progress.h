// How far a flush has come: one line that is rewritten on a terminal, plain lines (at most one a
// second) anywhere else.
#pragma once

#include <cstdint>
#include <string>

#include "core/util/clock.h"

namespace wbshim::ctl {

struct Amount {
  uint64_t entries = 0;
  uint64_t entries_total = 0;
  uint64_t bytes = 0;
  uint64_t bytes_total = 0;
};

// "120 of 500 entries, 1.2 MiB of 5.0 MiB, 3.4 MiB/s, 2 s left". The rate and the time left appear
// once they mean something.
std::string progress_text(const Amount& amount, uint64_t elapsed_ms);

class Progress {
 public:
  // fd: where it goes. clock must outlive this.
  Progress(int fd, bool terminal, const Clock& clock)
      : fd_(fd), terminal_(terminal), clock_(clock), begin_ms_(clock.now_ms()) {}

  void show(const Amount& amount);
  // Takes the rewritten line away, so that what follows starts on a clean one.
  void clear();
  uint64_t elapsed_ms() const { return clock_.now_ms() - begin_ms_; }

 private:
  void write_line(const std::string& text) const;
  size_t width() const;

  int fd_;
  bool terminal_;
  const Clock& clock_;
  uint64_t begin_ms_;
  uint64_t last_ms_ = 0;
  bool shown_ = false;
};

}  // namespace wbshim::ctl
