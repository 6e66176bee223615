#include <algorithm>
#include <optional>

#include "core/base/protocol.h"
#include "core/util/display.h"
#include "core/util/json.h"
#include "scripts.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/paths.h"
#include "tools/ctl/report.h"
#include "tools/ctl/uploader_client.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {
namespace {

constexpr size_t kPathsAtOnce = 40;  // RedisLink takes 48 words a command
constexpr int kAnswerMs = 10000;

// Every path that is a dead letter, sorted. Nothing: Redis is away.
std::optional<std::vector<std::string>> dead_paths(VolumeLink& link) {
  std::vector<std::string> paths;
  if (link.volume().client.empty()) return paths;
  const Reply reply = link.redis().command({"HKEYS", link.volume().dead()});
  if (!reply) return std::nullopt;
  for (const Reply& item : reply.items) paths.push_back(item.text);
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool at_or_below(const std::string& path, const std::string& top) {
  if (top.empty() || path == top) return true;
  return path.size() > top.size() && path[top.size()] == '/' &&
         path.compare(0, top.size(), top) == 0;
}

// How many of them were made due. Nothing: Redis went away.
std::optional<uint64_t> make_due(VolumeLink& link, const std::vector<std::string>& paths) {
  std::vector<Command> commands;
  for (size_t i = 0; i < paths.size(); i += kPathsAtOnce) {
    Command command{{link.volume().due(), link.volume().dead()}, &scripts::retry, 2};
    for (size_t j = i; j < std::min(paths.size(), i + kPathsAtOnce); j++)
      command.words.push_back(paths[j]);
    commands.push_back(std::move(command));
  }
  uint64_t count = 0;
  for (const Reply& reply : link.redis().pipeline(commands)) {
    if (reply.kind != Reply::Kind::Integer) return std::nullopt;
    count += static_cast<uint64_t>(reply.integer);
  }
  return count;
}

// The uploader forgets how often these have failed, and looks at its queue. Without one they wait for
// the next.
bool wake_uploader(const Config& config) {
  auto uploader = UploaderClient::connect(config);
  return uploader && uploader->send(protocol::kRetry) && uploader->line(kAnswerMs) == "OK";
}

std::string summary(const CommandLine& line, const std::vector<std::string>& paths, uint64_t count,
                    bool awake) {
  if (line.json) {
    Json names = Json::array(), json = Json::object();
    for (const std::string& path : paths) names.push(Json(path));
    json.set("retried", count).set("uploader", awake).set("paths", std::move(names));
    return json.dump() + "\n";
  }
  if (count == 0) return "no dead letters\n";
  std::string text = std::to_string(count) +
                     (count == 1 ? " dead letter is due now" : " dead letters are due now");
  return text + (awake ? "\n" : ", once an uploader runs (`shim-ctl start`)\n");
}

}  // namespace

int command_retry(const CommandLine& line, const Config& config) {
  std::vector<std::string> tops;
  for (const std::string& word : line.words) {
    const Result<std::string> path = path_in_prefix(config, word, working_directory());
    if (!path) return report(Outcome::wrong("retry: " + path.message()));
    tops.push_back(path.value());
  }
  VolumeLink link(config);
  const auto dead = link.redis().connect() ? dead_paths(link) : std::nullopt;
  if (!dead) return report(redis_away(config, link.redis()));
  std::vector<std::string> chosen;
  std::vector<bool> met(tops.size(), false);
  for (const std::string& path : *dead) {
    bool wanted = tops.empty();
    for (size_t i = 0; i < tops.size(); i++) {
      if (!at_or_below(path, tops[i])) continue;
      wanted = met[i] = true;
    }
    if (wanted) chosen.push_back(path);
  }
  const auto count = make_due(link, chosen);
  if (!count) return report(redis_away(config, link.redis()));
  const bool awake = wake_uploader(config);
  if (!put_out(summary(line, chosen, *count, awake))) return kFailed;
  int status = kDone;
  for (size_t i = 0; i < tops.size(); i++) {
    if (met[i]) continue;
    const std::string name = config.prefix() + (tops[i].empty() ? "" : "/" + tops[i]);
    status = report(Outcome::failed("retry: nothing at or below '" + printable(name) +
                                    "' is a dead letter; `shim-ctl status` lists them"));
  }
  return status;
}

}  // namespace wbshim::ctl
