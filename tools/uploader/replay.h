// Journal lines become publishes. A line says "look at this path"; what it was written for decides
// what absence proves.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/uploader/context.h"
#include "tools/uploader/journal_reader.h"
#include "tools/uploader/scan.h"

namespace wbshim {

class Replay {
 public:
  Replay(Context& context, Scan& scan);

  // Publishes one batch of lines. True: there may be more.
  bool step();
  // Looks at what was held open across an exec, once nobody writes to it any more.
  void step_held();
  // At the end of the run: what would be forgotten goes into the journal again. False: it could not
  // be written.
  bool put_back();

  JournalReader& reader() { return reader_; }
  size_t held() const { return held_.size(); }
  // No line waits, and no renamed directory.
  bool idle() const { return !reader_.has_news() && trees_.empty(); }

 private:
  bool publish(const std::vector<JournalLine>& lines);
  bool step_trees();

  Context& context_;
  Scan& scan_;
  JournalReader reader_;
  std::map<std::string, uint64_t> held_;   // path -> base
  std::map<std::string, uint64_t> trees_;  // renamed directories, path -> base
  uint64_t look_at_held_ms_ = 0;
  uint64_t damaged_seen_ = 0;
};

// Several lines of one path are one notice: it was acted on if any line says so, removed if any
// says so, up to the highest base.
std::vector<Notice> merge_lines(const std::vector<JournalLine>& lines);

}  // namespace wbshim
