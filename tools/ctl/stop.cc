#include "tools/ctl/commands.h"
#include "tools/ctl/report.h"
#include "tools/ctl/services.h"

namespace wbshim::ctl {

int command_stop(const CommandLine& line, const Config& config) {
  const int flushed = line.flush ? flush_everything(line, config, false) : kDone;
  int64_t pending = 0;
  bool stopped = false;
  const Outcome ended = stop_services(config, &pending, &stopped);
  if (!ended.ok()) return report(ended);
  if (!stopped) {
    (void)put_out("nothing was running\n");
  } else if (pending != 0) {
    const std::string count = pending < 0    ? "some entries may"
                              : pending == 1 ? "1 entry still has to"
                                             : std::to_string(pending) + " entries still have to";
    (void)put_out("stopped; " + count + " reach the store: `shim-ctl flush` sends what is there\n");
  } else {
    (void)put_out("stopped\n");
  }
  return flushed;
}

}  // namespace wbshim::ctl
