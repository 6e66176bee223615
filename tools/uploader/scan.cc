#include "tools/uploader/scan.h"

#include <string.h>

#include "core/base/fault.h"
#include "core/util/log.h"

namespace wbshim {
namespace {

constexpr uint64_t kRetryMs = 1000;

}  // namespace

Scan::Scan(Context& context) : context_(context), walk_(context, "scan") {
  walk_.on_unreadable = [this](const std::string& path, int error) { cannot_read(path, error); };
}

void Scan::begin(const std::string& path) {
  walk_.begin(path);
  failed_ = false;
  unreadable_now_.clear();
}

bool Scan::step(uint64_t ms) {
  if (!running_) {
    if (!requested_ || context_.clock.now_ms() < retry_at_ms_ || !context_.redis.ready())
      return false;
    requested_ = false;
    running_ = true;
    begun_++;
    WBSHIM_FAULT(ScanBegun);
    begin("");
  }
  uint64_t until = context_.clock.now_ms() + ms;
  while (!walk_.done() && !failed_) {
    TreeWalk::Findings findings;
    if (!walk_.step({}, findings)) failed_ = true;
    if (context_.clock.now_ms() >= until && !walk_.done()) return !failed_;
  }
  running_ = false;
  if (failed_) {
    walk_.stop();
    requested_ = true;
    retry_at_ms_ = context_.clock.now_ms() + kRetryMs;
    return false;
  }
  WBSHIM_FAULT(ScanEnded);
  finished_ = begun_;
  unreadable_ = std::move(unreadable_now_);
  unreadable_now_.clear();
  context_.tally.scans++;
  return requested_;
}

bool Scan::walk(const std::string& directory, uint64_t base) {
  // In between a pass of its own: that one begins again.
  if (running_) {
    running_ = false;
    requested_ = true;
  }
  begin(directory);
  TreeWalk::Manner manner;
  manner.ours = true;
  manner.base = base;
  bool sound = true;
  while (!walk_.done() && sound) {
    TreeWalk::Findings findings;
    sound = walk_.step(manner, findings);
  }
  walk_.stop();
  return sound;
}

void Scan::cannot_read(const std::string& path, int error) {
  std::string why = strerror(error);
  if (unreadable_.count(path) == 0 && unreadable_now_.count(path) == 0)
    log_error("scan: cannot read '" + path + "' in the staging tree: " + why +
              "; what lies there is not looked after");
  unreadable_now_.emplace(path, std::move(why));
}

}  // namespace wbshim
