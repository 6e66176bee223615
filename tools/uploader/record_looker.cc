#include "tools/uploader/record_looker.h"

#include <unordered_set>

namespace wbshim {

RecordLooker::RecordLooker(Context& context, Scan& scan)
    : context_(context), scan_(scan), walk_(context, "watch") {
  // A file that is being written to is published when it is closed: that is an event, too.
  manner_.leave_written = true;
}

void RecordLooker::count(TreeWalk::Findings& found, Looked& looked) {
  context_.tally.watch_found += found.published;
  looked.written = std::move(found.written);
  if (!on_written) return;
  for (const std::string& path : looked.written) on_written(path);
}

bool RecordLooker::look(const std::vector<std::string>& paths, Looked& looked) {
  TreeWalk::Findings found;
  bool there = walk_.compare(paths, manner_, found);
  count(found, looked);
  if (!there) return false;
  std::unordered_set<std::string> directories(found.directories.begin(), found.directories.end());
  std::vector<std::string> others;
  std::vector<Command> commands;
  for (const std::string& path : paths) {
    if (directories.count(path) > 0) continue;
    others.push_back(path);
    commands.push_back({{"EXISTS", context_.volume.dir(path)}});
  }
  std::vector<Reply> replies = context_.redis.pipeline(commands);
  for (size_t i = 0; i < replies.size(); i++) {
    if (!replies[i]) return false;
    if (replies[i].integer > 0) looked.gone.push_back(others[i]);
  }
  return true;
}

bool RecordLooker::step_below(Looked& looked) {
  TreeWalk::Findings found;
  bool there = walk_.step(manner_, found);
  count(found, looked);
  return there;
}

}  // namespace wbshim
