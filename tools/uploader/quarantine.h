// <staging>/quarantine/<start of the run>/<path>: files that are not what was recorded of them. They
// are moved there by rename, never copied, read or deleted; a person decides about them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/util/fd.h"
#include "core/util/result.h"
#include "core/volume/tree.h"

namespace wbshim {

class Quarantine {
 public:
  // staging: the staging directory. since_ms: CLOCK_REALTIME of this run's start, which names its
  // folder. Counts what earlier runs left.
  Quarantine(std::string staging, uint64_t since_ms);

  // Moves the tree's file away. The error is a sentence.
  Status take(const Tree& tree, const std::string& path);

  // Files that lie there, of all runs, as of the last recount().
  uint64_t count() const { return count_; }
  // Some of their names, "<start of the run>/<path>".
  const std::vector<std::string>& names() const { return names_; }
  // Somebody may have dealt with them.
  void recount();

 private:
  std::string root_;
  std::string folder_;  // of this run
  uint64_t count_ = 0;
  std::vector<std::string> names_;
};

}  // namespace wbshim
