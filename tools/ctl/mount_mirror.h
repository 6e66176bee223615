// A directory in memory that looks like another one, so that a name can be added to it.
#pragma once

#include <string>

#include "core/util/result.h"

namespace wbshim::ctl {

// Each entry of `from` appears in `to` (both absolute; `to` is empty): directories and files bound
// with what is mounted below them, symbolic links copied. Entries that vanish meanwhile, and the
// one named `except`, are left out. Mode of `from` itself is copied.
Status mirror_directory(const std::string& from, const std::string& to, const std::string& except);

// mkdir -p of `path` below the existing directory `base`, mode 0755.
Status make_directories_below(const std::string& base, const std::string& path);

// "what 'path': reason", errno's.
Error mount_error(const std::string& what, const std::string& path);

}  // namespace wbshim::ctl
