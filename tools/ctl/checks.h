// The checks of `doctor`, each a few findings. None starts, makes or changes anything that stays.
#pragma once

#include "core/util/config.h"
#include "tools/ctl/finding.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {

// The library is there, of our version, and a program that has it preloaded sees the prefix: ld.so
// passes over a library it cannot load.
void check_library(const Config& config, Findings& findings);

// Whether `run --mount` can be had here.
void check_mount(const Config& config, Findings& findings);

// Redis answers, may keep what it is told, and agrees about the time.
void check_redis(const Config& config, Findings& findings);

// The store takes, returns and deletes an object (.wbshim-doctor-…), and an S3 store has our time.
void check_store(const Config& config, Findings& findings);

// The staging directory's disk, and this process's limits.
void check_machine(const Config& config, Findings& findings);

// The uploader, and what waits for it.
void check_uploader(const Config& config, Findings& findings);

}  // namespace wbshim::ctl
