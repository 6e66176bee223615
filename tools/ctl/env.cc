#include <stdlib.h>
#include <unistd.h>

#include "core/util/display.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/places.h"
#include "tools/ctl/preload.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {

int command_env(const CommandLine&, const Config& config) {
  const Result<std::string> library = find_library();
  if (!library) return report(Outcome::failed(library.message()));
  const char* preloaded = getenv("LD_PRELOAD");
  std::string text;
  for (const auto& [name, value] :
       preload_variables(config, library.value(), preloaded != nullptr ? preloaded : "")) {
    // The shell has it already, or shall have it; people do not need to see it.
    const char* there = getenv(name.c_str());
    const bool secret = hide_secrets(value) != value;
    if (secret && there != nullptr && value == there) continue;
    if (secret && isatty(STDOUT_FILENO) != 0) {
      text += "# " + name + " holds a password: it is printed where no terminal shows it\n";
      continue;
    }
    text += "export " + name + "=" + shell_quote(value) + "\n";
  }
  return put_out(text) ? kDone : kFailed;
}

}  // namespace wbshim::ctl
