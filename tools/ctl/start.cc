#include "tools/ctl/commands.h"
#include "tools/ctl/report.h"
#include "tools/ctl/services.h"
#include "tools/ctl/uploader_service.h"

namespace wbshim::ctl {

int command_start(const CommandLine& line, const Config& config) {
  bool started = false;
  const Outcome services = start_services(line, config, &started);
  if (!services.ok() || started) return report(services);
  // The uploader that runs already has not been probed by us: it says what it lacks.
  return report(check_uploader_health(config));
}

}  // namespace wbshim::ctl
