#include <unistd.h>

#include <optional>

#include "core/base/layout.h"
#include "core/base/protocol.h"
#include "core/util/display.h"
#include "core/util/json.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/report.h"
#include "tools/ctl/status_report.h"
#include "tools/ctl/uploader_client.h"

namespace wbshim::ctl {
namespace {

constexpr int kAnswerMs = 10000;

UploaderReport ask_uploader(const Config& config) {
  UploaderReport report;
  auto uploader = UploaderClient::connect(config);
  report.silent_pid = uploader ? uploader->peer() : silent_uploader(config);
  if (!uploader || !uploader->send(protocol::kPing)) return report;
  const auto pong = uploader->line(kAnswerMs);
  if (!pong || pong->compare(0, 3, "OK ") != 0) return report;
  report.running = true;
  report.version = pong->substr(3, pong->find(' ', 3) - 3);
  const size_t space = pong->find(' ', 3);
  if (space != std::string::npos) report.pid = strtol(pong->c_str() + space, nullptr, 10);
  if (!uploader->send(protocol::kStatus)) return report;
  for (auto line = uploader->line(kAnswerMs); line && *line != "OK";
       line = uploader->line(kAnswerMs)) {
    if (const auto json = Json::parse(*line); json && json->is_object()) report.status = *json;
  }
  return report;
}

}  // namespace

int command_status(const CommandLine& line, const Config& config) {
  const StatusReport status{config, ask_uploader(config), look_at_volume(config, true),
                            access(config.in_staging(layout::kRunDir).c_str(), F_OK) == 0};
  if (!put_out(line.json ? status_document(status) : status_screen(status))) return kFailed;
  return problems(status).empty() ? kDone : kFailed;
}

}  // namespace wbshim::ctl
