// What `doctor` found, and how it is shown.
#pragma once

#include <string>
#include <vector>

#include "tools/ctl/report.h"

namespace wbshim::ctl {

enum class Level { Ok, Warning, Error };

// One check. Texts are one line each, fit to be shown, without secrets.
struct Finding {
  Level level = Level::Ok;
  std::string what;   // "redis", "staging disk", …: stable, for scripts
  std::string found;  // what is the case
  std::string mend;   // what to do; empty: nothing
};

using Findings = std::vector<Finding>;

// "warning  redis persistence: no append-only file; set appendonly yes", one line a finding.
std::string findings_screen(const Findings& findings);

// {"ok":…,"checks":[{"level","what","found","mend"}…]}; ok: no error among them.
std::string findings_document(const Findings& findings);

// kDone, or kFailed with an error among them.
int findings_status(const Findings& findings);

}  // namespace wbshim::ctl
