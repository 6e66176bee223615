// The name of a directory that is known by itself only.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "core/util/fd.h"

namespace wbshim {

// Which entry of parent (a descriptor, O_PATH will do) is this directory? Nothing: none is, or parent
// cannot be read.
std::optional<std::string> name_in(const Fd& parent, const struct stat& directory);

}  // namespace wbshim
