// Where wbshim's own parts are: beside shim-ctl in a build tree, or where `meson install` put them,
// wherever that tree stands now.
#pragma once

#include <string>

#include "core/util/result.h"

namespace wbshim::ctl {

// Absolute paths. The error names the places that were looked at.
Result<std::string> find_uploader();

// Also checked: readable, an ELF file for this machine, and a name that LD_PRELOAD can hold (no
// blank, no colon).
Result<std::string> find_library();

// A program in PATH, and in the places where daemons are installed; the empty string when there is
// none.
std::string find_program(const std::string& name);

// Why `path` cannot be preloaded into programs like `self`; empty when it can.
std::string library_trouble(const std::string& path, const std::string& self);

}  // namespace wbshim::ctl
