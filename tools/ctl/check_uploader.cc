#include "core/util/display.h"
#include "tools/ctl/checks.h"
#include "tools/ctl/places.h"
#include "tools/ctl/uploader_client.h"
#include "tools/ctl/uploader_service.h"

namespace wbshim::ctl {
namespace {

Finding uploader(const Config& config) {
  const char* what = "uploader";
  if (const auto program = find_uploader(); !program)
    return {Level::Error, what, program.message(), ""};
  const auto pong = ping_uploader(config);
  if (!pong) {
    if (const pid_t silent = silent_uploader(config); silent != 0)
      return {Level::Error, what, "process " + std::to_string(silent) + " does not answer",
              "`shim-ctl stop`, then `shim-ctl start`"};
    return {Level::Warning, what, "not running", "`shim-ctl start` starts it"};
  }
  const std::string found =
      "runs, process " + std::to_string(pong->pid) + ", version " + printable(pong->version);
  if (pong->version != WBSHIM_VERSION)
    return {Level::Error, what, found + ", but this is version " + WBSHIM_VERSION,
            "`shim-ctl stop`, then `shim-ctl start`"};
  if (const Outcome same = check_running_uploader(config); !same.ok())
    return {Level::Error, what, printable(same.message), ""};
  return {Level::Ok, what, found, ""};
}

}  // namespace

void check_uploader(const Config& config, Findings& findings) {
  const Finding found = uploader(config);
  const bool runs = found.level == Level::Ok;
  findings.push_back(found);
  const VolumeView view = look_at_volume(config, false);
  const std::string lines = std::to_string(view.journal_lines);
  if (view.journal_lines > 0 && !runs)
    findings.push_back({Level::Warning, "journal", lines + " changes that Redis does not know yet",
                        "`shim-ctl start`: the uploader tells it"});
  else
    findings.push_back({Level::Ok, "journal", lines + " changes wait", ""});
  if (!view.redis_answers) return;
  if (!view.dead.empty())
    findings.push_back({Level::Error, "dead letters",
                        std::to_string(view.dead.size()) + " files cannot be uploaded",
                        "`shim-ctl status` names them, and why"});
  else
    findings.push_back({Level::Ok, "dead letters", "none", ""});
}

}  // namespace wbshim::ctl
