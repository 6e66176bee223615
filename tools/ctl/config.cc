#include <algorithm>

#include "core/util/display.h"
#include "core/util/json.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {
namespace {

std::string document(const Config& config) {
  Json options = Json::array();
  for (Option option : all_options()) {
    const Setting& setting = config.setting(option);
    const std::string& value = setting.value;
    const char* origins[] = {"default", "file", "environment", "flag"};
    Json entry = Json::object();
    entry.set("name", environment_name(option))
        .set("value", row(option).kind == OptionKind::Url ? hide_secrets(value) : value)
        .set("origin", origins[static_cast<unsigned>(setting.origin)])
        .set("where", setting.where)
        .set("default", fallback_text(option))
        .set("available", row(option).ready == Readiness::Ready)
        .set("meaning", row(option).sentence);
    options.push(std::move(entry));
  }
  Json json = Json::object();
  json.set("options", std::move(options));
  return json.dump() + "\n";
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string table(const Config& config) {
  size_t name_width = 0, value_width = 0, origin_width = 0;
  for (Option option : all_options()) {
    name_width = std::max(name_width, environment_name(option).size());
    value_width = std::max(value_width, config.shown(option).size());
    origin_width = std::max(origin_width, printable(config.setting(option).where).size());
  }
  std::string text;
  for (Option option : all_options()) {
    const std::string later = row(option).ready == Readiness::Later ? " (not available yet)" : "";
    text += padded(environment_name(option), name_width) + "  " +
            padded(config.shown(option), value_width) + "  " +
            padded(printable(config.setting(option).where), origin_width) + "  " +
            row(option).sentence + later + "\n";
  }
  return text;
}

}  // namespace

std::string option_table_markdown() {
  std::string text = "| environment | default | meaning |\n|---|---|---|\n";
  for (Option option : all_options()) {
    const OptionRow& about = row(option);
    const std::string fallback = fallback_text(option);
    text += "| `" + environment_name(option) + "` | " +
            (fallback.empty() ? "empty" : "`" + fallback + "`") + " | " + about.sentence +
            (about.ready == Readiness::Later ? " (not available yet)" : "") + " |\n";
  }
  return text;
}

int command_config(const CommandLine& line, const Config& config) {
  return put_out(line.json ? document(config) : table(config)) ? kDone : kFailed;
}

}  // namespace wbshim::ctl
