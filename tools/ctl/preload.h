// The environment that puts libwbshim.so in front of a program.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/util/config.h"

namespace wbshim::ctl {

using Variables = std::vector<std::pair<std::string, std::string>>;

// LD_PRELOAD with the library first and what was there after it, and the options: those that
// somebody has set, and those whose default depends on where we are, so that the library need not
// work it out.
Variables preload_variables(const Config& config, const std::string& library,
                            const std::string& preloaded);

}  // namespace wbshim::ctl
