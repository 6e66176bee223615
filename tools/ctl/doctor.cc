#include "tools/ctl/checks.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/program_check.h"

namespace wbshim::ctl {
namespace {

Findings check_everything(const Config& config) {
  Findings findings;
  for (const auto check :
       {check_library, check_mount, check_machine, check_redis, check_store, check_uploader})
    check(config, findings);
  return findings;
}

}  // namespace

int command_doctor(const CommandLine& line, const Config& config) {
  const Findings findings =
      line.words.empty() ? check_everything(config) : check_program(config, line.words.front());
  if (!put_out(line.json ? findings_document(findings) : findings_screen(findings))) return kFailed;
  return findings_status(findings);
}

}  // namespace wbshim::ctl
