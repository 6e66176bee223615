// The watch's looks at paths, by the scan's comparison (tree_walk.h).
#pragma once

#include <functional>
#include <string>

#include "tools/uploader/scan.h"
#include "tools/uploader/tree_walk.h"
#include "tools/uploader/watch.h"

namespace wbshim {

class RecordLooker final : public Looker {
 public:
  RecordLooker(Context& context, Scan& scan);
  // A path that was left alone because somebody writes to it.
  std::function<void(const std::string& path)> on_written;

  // As Scan::set_floor.
  void set_floor(uint64_t generation) { walk_.set_floor(generation); }

  bool look(const std::vector<std::string>& paths, Looked& looked) override;
  void begin_below(const std::string& directory) override { walk_.begin(directory); }
  bool step_below(Looked& looked) override;
  bool below_done() const override { return walk_.done(); }
  void want_scan() override { scan_.request(); }

 private:
  void count(TreeWalk::Findings& found, Looked& looked);

  Context& context_;
  Scan& scan_;
  TreeWalk walk_;
  TreeWalk::Manner manner_;
};

}  // namespace wbshim
