// The command line of shim-ctl. The only user of CLI11.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/util/config.h"

namespace wbshim::ctl {

enum class Verb { Start, Stop, Flush, Run, Status, List, Cat, Env, Config, Doctor, Retry, Verify };

struct CommandLine {
  Verb verb = Verb::Start;
  std::vector<Flag> flags;  // options of the table, in their order
  std::vector<std::string>
      words;           // run: COMMAND…; ls, cat, retry, verify: PATH…; doctor: PROGRAM, or none
  bool json = false;   // status, ls, flush, config, doctor, retry, verify
  bool flush = false;  // run, stop
  bool deep = false;   // verify
  bool quick = false;  // verify
  bool repair = false;          // verify
  bool delete_strays = false;   // verify --repair
  bool restore_strays = false;  // verify --repair
  bool mount = false;           // run
  bool long_listing = false;    // ls -l
  bool markdown = false;        // config
  uint64_t timeout_ms = 0;      // flush; 0: none
};

// There is nothing to run: what to print where, and the status. Help and version go to standard
// output with status 0.
struct Answer {
  int status = 0;
  std::string out;
  std::string error;  // one line
};

std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv);

}  // namespace wbshim::ctl
