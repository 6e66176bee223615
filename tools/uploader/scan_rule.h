// What the tree and the record of one path, side by side, ask for (PROTOCOL.md 1.2). Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "core/volume/record.h"
#include "core/volume/tree.h"

namespace wbshim {

enum class ScanAction {
  Nothing,
  Look,        // the tree has what Redis does not know: publish it, as a look
  Vanished,    // Redis has what the tree does not, and that is evidence: publish the absence
  Quarantine,  // what was recorded is not what a power loss left: move it away
  Inspect,  // it is as recorded; whether its bytes reached the disk before a power loss is not told by that
  Hold,     // nothing recorded it, and a power loss may have torn it: record it as failed
  Removed,  // it was on disk before it was recorded, and never stored: only a removal explains that
  Lost,     // recorded and never stored; a power loss, or another's hand, took its bytes
};

// Changes of this span may not have reached the disk before the power went: [from, until) by ctime.
struct Suspicion {
  int64_t from_ns = 0;
  int64_t until_ns = 0;
  bool covers(const struct stat& st) const;
};

struct ScanRule {
  std::string client;
  std::string boot;
  uint64_t counter = 0;  // the generation counter, read before the look
  uint64_t floor =
      0;  // records up to this generation may miss in the tree for another reason than a removal
  Suspicion suspicion;
  bool durable = false;  // tier local or remote: names are on disk before Redis hears of them
};

// st: of a Sight::Present. record: nothing when there is none, or none that can be read.
ScanAction decide(const ScanRule& rule, Sight sight, const struct stat& st,
                  const std::optional<Record>& record);

}  // namespace wbshim
