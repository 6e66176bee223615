// How many files of the tree are open for writing, by a look at every process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wbshim {

// Different files below one of the directories, as their processes' /proc names them (tree: the
// staging tree; prefix: where a private mount shows it). Other users' processes are not seen. proc:
// "/proc", or a tree made like it. Nothing: it cannot be read.
std::optional<uint64_t> count_open_for_writing(const std::string& tree, const std::string& prefix,
                                               const std::string& proc = "/proc");

}  // namespace wbshim
