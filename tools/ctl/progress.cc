#include "tools/ctl/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/util/display.h"

namespace wbshim::ctl {

std::string progress_text(const Amount& amount, uint64_t elapsed_ms) {
  std::string text = std::to_string(amount.entries) + " of " +
                     std::to_string(amount.entries_total) + " entries, " +
                     human_bytes(amount.bytes) + " of " + human_bytes(amount.bytes_total);
  if (elapsed_ms < 500 || amount.entries == 0) return text;
  if (amount.bytes > 0) text += ", " + human_bytes(amount.bytes * 1000 / elapsed_ms) + "/s";
  if (amount.entries < amount.entries_total) {
    // Small files cost their requests, big ones their bytes: whichever is further behind decides.
    uint64_t left_ms = (amount.entries_total - amount.entries) * elapsed_ms / amount.entries;
    if (amount.bytes > 0 && amount.bytes_total > amount.bytes) {
      const double by_bytes = static_cast<double>(amount.bytes_total - amount.bytes) *
                              static_cast<double>(elapsed_ms) / static_cast<double>(amount.bytes);
      left_ms = std::max(left_ms, static_cast<uint64_t>(by_bytes));
    }
    text += ", " + human_duration(left_ms) + " left";
  }
  return text;
}

void Progress::write_line(const std::string& text) const {
  (void)!write(fd_, text.data(), text.size());
}

void Progress::show(const Amount& amount) {
  const uint64_t now = clock_.now_ms();
  const uint64_t pause = terminal_ ? 100 : 1000;
  if (last_ms_ != 0 && now - last_ms_ < pause) return;
  last_ms_ = now;
  shown_ = true;
  // Nothing is known before the tree has been looked through.
  std::string text =
      "flush: " + (amount.entries_total == 0 ? "looking for what is not stored yet"
                                             : progress_text(amount, now - begin_ms_));
  if (terminal_) text.resize(std::min(text.size(), width() - 1));
  write_line(terminal_ ? "\r" + text + "\x1b[K" : text + "\n");
}

// A line that wraps could not be rewritten.
size_t Progress::width() const {
  struct winsize size = {};
  return ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

void Progress::clear() {
  if (terminal_ && shown_) write_line("\r\x1b[K");
  shown_ = false;
}

}  // namespace wbshim::ctl
