#include <unistd.h>

#include <cstdlib>

#include "core/base/protocol.h"
#include "core/util/display.h"
#include "core/util/json.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/flush_answer.h"
#include "tools/ctl/progress.h"
#include "tools/ctl/report.h"
#include "tools/ctl/services.h"
#include "tools/ctl/uploader_client.h"

namespace wbshim::ctl {
namespace {

constexpr int kSilenceMs = 120000;  // the protocol promises a line a second; a machine may sleep

// Talks until the answer is complete. Nothing: the connection broke.
Outcome converse(UploaderClient& uploader, uint64_t timeout_ms, Progress& progress,
                 FlushAnswer& answer) {
  if (!uploader.send(std::string(protocol::kFlush) + " " + std::to_string(timeout_ms))) {
    return Outcome::failed("the uploader went away; `shim-ctl start`, then flush again");
  }
  while (!answer.complete()) {
    const auto line = uploader.line(kSilenceMs);
    if (!line) {
      return Outcome::failed(
          uploader.timed_out()
              ? "the uploader has said nothing for two minutes; see `shim-ctl status`"
              : "the uploader went away during the flush; run it again");
    }
    answer.take(*line);
    if (!answer.complete()) progress.show(answer.amount());
  }
  return {};
}

std::string document(const FlushAnswer& answer, int status, uint64_t elapsed_ms) {
  Json json = Json::object();
  Json left = Json::array();
  for (const LeftEntry& entry : answer.left()) {
    Json row = Json::object();
    row.set("path", entry.path).set("reason", entry.reason);
    left.push(std::move(row));
  }
  json.set("ok", status == kDone)
      .set("timed_out", status == kTimedOut)
      .set("entries", answer.amount().entries)
      .set("entries_total", answer.amount().entries_total)
      .set("bytes", answer.amount().bytes)
      .set("bytes_total", answer.amount().bytes_total)
      .set("seconds", static_cast<double>(elapsed_ms) / 1000)
      .set("left", std::move(left));
  if (!answer.message().empty()) json.set("error", answer.message());
  return json.dump() + "\n";
}

int status_of(const FlushAnswer& answer) {
  if (answer.timed_out()) return kTimedOut;
  return answer.ok() && answer.left().empty() ? kDone : kFailed;
}

void name_what_is_left(const FlushAnswer& answer, const Config& config) {
  for (const LeftEntry& entry : answer.left()) {
    complain("not stored: " + printable(config.prefix() + "/" + entry.path) + " (" +
             printable(entry.reason) + ")");
  }
}

}  // namespace

int flush_everything(const CommandLine& line, const Config& config, bool quiet_out) {
  if (Outcome started = start_services(line, config); !started.ok()) return report(started);
  auto uploader = UploaderClient::connect(config);
  if (!uploader) return report(Outcome::failed("the uploader went away; see `shim-ctl status`"));
  const SystemClock clock;
  Progress progress(STDERR_FILENO, isatty(STDERR_FILENO) == 1, clock);
  FlushAnswer answer;
  const Outcome talked = converse(*uploader, line.timeout_ms, progress, answer);
  progress.clear();
  if (!talked.ok()) return report(talked);
  const int status = status_of(answer);
  name_what_is_left(answer, config);
  if (status == kTimedOut) {
    complain("flush: not everything was stored within " + human_duration(line.timeout_ms) + ": " +
             progress_text(answer.amount(), 0) +
             (answer.message().empty() ? "" : "; " + printable(answer.message())));
  } else if (status == kFailed) {
    complain("flush: " +
             (answer.message().empty() ? "something was left" : printable(answer.message())));
  }
  const std::string summary = "flushed " + std::to_string(answer.amount().entries) +
                              (answer.amount().entries == 1 ? " entry, " : " entries, ") +
                              human_bytes(answer.amount().bytes) + " in " +
                              human_duration(progress.elapsed_ms()) + "\n";
  if (line.json && !quiet_out)
    return put_out(document(answer, status, progress.elapsed_ms())) ? status : kFailed;
  if (status != kDone) return status;
  if (quiet_out) {
    complain(summary.substr(0, summary.size() - 1));
    return status;
  }
  return put_out(summary) ? status : kFailed;
}

int command_flush(const CommandLine& line, const Config& config) {
  return flush_everything(line, config, false);
}

}  // namespace wbshim::ctl
