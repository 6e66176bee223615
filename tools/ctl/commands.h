// The commands, one file each. Each returns the exit status and has said what there was to say.
#pragma once

#include "core/util/config.h"
#include "tools/ctl/command_line.h"

namespace wbshim::ctl {

int command_start(const CommandLine& line, const Config& config);
int command_stop(const CommandLine& line, const Config& config);
int command_flush(const CommandLine& line, const Config& config);
int command_run(const CommandLine& line, const Config& config);
int command_status(const CommandLine& line, const Config& config);
int command_ls(const CommandLine& line, const Config& config);
int command_cat(const CommandLine& line, const Config& config);
int command_doctor(const CommandLine& line, const Config& config);
int command_retry(const CommandLine& line, const Config& config);
int command_verify(const CommandLine& line, const Config& config);
int command_env(const CommandLine& line, const Config& config);
int command_config(const CommandLine& line, const Config& config);

// `config --markdown`: README's table of options. It depends on nobody's settings.
std::string option_table_markdown();

// The work of `flush`, for `stop --flush` and `run --flush`, too: starts what is missing.
// quiet_out: the summary goes to standard error, because standard output is another program's.
int flush_everything(const CommandLine& line, const Config& config, bool quiet_out);

}  // namespace wbshim::ctl
