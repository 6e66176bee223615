// FIFOs, sockets and devices of the staging tree: they work on this machine, have no record and are not
// stored, so only the tree itself can tell of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/util/config.h"
#include "core/volume/record.h"

namespace wbshim::ctl {

struct LocalEntry {
  std::string name;
  Record record;  // its type is the letter of ls(1): p, s, c or b
};

// Those in a directory, or the one that the path names. None without a tree.
std::vector<LocalEntry> local_entries(const Config& config, const std::string& path);

// How many the whole tree holds. complete: false when the look took too long and was cut off.
struct LocalCount {
  uint64_t entries = 0;
  bool complete = true;
};
LocalCount count_local_entries(const Config& config);

// "fifo", "socket", "device"; null for what is stored.
const char* local_type_name(char type);

}  // namespace wbshim::ctl
