// Paths as people give them to ls and cat.
#pragma once

#include <string>

#include "core/util/config.h"
#include "core/util/result.h"

namespace wbshim::ctl {

// Relative to the prefix, normalised; the prefix itself is empty. An absolute path must lie under
// the prefix. A relative one counts from `cwd` when that lies under the prefix or in the staging
// tree, else from the prefix. ".." is taken off by name.
Result<std::string> path_in_prefix(const Config& config, const std::string& word,
                                   const std::string& cwd);

// The working directory; "/" when it cannot be told.
std::string working_directory();

}  // namespace wbshim::ctl
