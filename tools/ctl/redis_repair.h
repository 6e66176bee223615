// A private redis-server that does not start because a power loss tore its append-only file: the
// torn end is cut off (redis-check-aof), or, where that does not help, the file is put aside. What
// Redis then does not know is found in the staging tree by the uploader's scan.
#pragma once

#include <string>

#include "tools/ctl/report.h"

namespace wbshim::ctl {

// dir: the server's working directory; it does not run. keep_file: cut off the end, else put the
// files aside. Ok: what was done, a sentence. The state before is kept in <dir>/damaged-<time>.
struct Repaired {
  Outcome outcome;
  std::string done;
};
Repaired repair_redis(const std::string& dir, bool keep_file);

}  // namespace wbshim::ctl
