// The uploader as a process of one staging directory. The caller holds the directory's control
// lock.
#pragma once

#include "core/util/config.h"
#include "tools/ctl/command_line.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {

// Returns when it says that it is ready. Status 2: it refused its configuration, its line is the
// message.
Outcome start_uploader(const CommandLine& line, const Config& config);

// Refuses (status 2) one that runs for another prefix, volume, store or Redis: it is not what was
// asked for. Needs no lock.
Outcome check_running_uploader(const Config& config);

// What the running uploader lacks, Redis or the store (status 2). None that runs: all is well.
Outcome check_uploader_health(const Config& config);

// It finishes or gives back what it holds; returns when the process is gone. stopped: there was
// one.
Outcome stop_uploader(const Config& config, bool* stopped);

}  // namespace wbshim::ctl
