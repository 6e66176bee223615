// What works behind the library: the uploader, and the private redis-server where that is
// configured. Started together, in that order; stopped in the other. One shim-ctl at a time does
// either (a lock in the staging directory).
#pragma once

#include "core/util/config.h"
#include "tools/ctl/command_line.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {

// Makes the staging directory and starts what is not running; returns when the uploader says that
// it is ready. Status 2: the uploader refused its configuration (its line is the message).
// `started`: whether there was anything to do.
Outcome start_services(const CommandLine& line, const Config& config, bool* started = nullptr);

// The uploader finishes or gives back what it holds; then the private redis-server is shut down.
// pending: how many entries still wait for their upload, -1 when that cannot be told. Nothing
// running is fine.
Outcome stop_services(const Config& config, int64_t* pending, bool* stopped);

}  // namespace wbshim::ctl
