#include "tools/ctl/finding.h"

#include <algorithm>

#include "core/util/json.h"

namespace wbshim::ctl {
namespace {

const char* level_name(Level level) {
  constexpr const char* kNames[] = {"ok", "warning", "error"};
  return kNames[static_cast<unsigned>(level)];
}

}  // namespace

std::string findings_screen(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    std::string level = level_name(finding.level);
    level.resize(9, ' ');
    text += level + finding.what + ": " + finding.found;
    if (!finding.mend.empty()) text += "; " + finding.mend;
    text += '\n';
  }
  return text;
}

std::string findings_document(const Findings& findings) {
  Json checks = Json::array(), json = Json::object();
  for (const Finding& finding : findings) {
    Json row = Json::object();
    row.set("level", level_name(finding.level)).set("what", finding.what);
    row.set("found", finding.found).set("mend", finding.mend);
    checks.push(std::move(row));
  }
  json.set("ok", findings_status(findings) == kDone).set("checks", std::move(checks));
  return json.dump() + "\n";
}

int findings_status(const Findings& findings) {
  const bool bad = std::any_of(findings.begin(), findings.end(),
                               [](const Finding& f) { return f.level == Level::Error; });
  return bad ? kFailed : kDone;
}

}  // namespace wbshim::ctl
