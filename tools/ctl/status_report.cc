#include "tools/ctl/status_report.h"

#include "core/base/layout.h"
#include "core/util/display.h"

namespace wbshim::ctl {
namespace {

constexpr size_t kShownDead = 20;

// The uploader's own counts are fresher, and it knows what is in flight; without it, ours.
uint64_t from_uploader(const StatusReport& report, const char* name, uint64_t otherwise) {
  return report.uploader.running ? report.uploader.status.number_of(name, otherwise) : otherwise;
}

std::string number(uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string uploader_line(const StatusReport& report) {
  const UploaderReport& uploader = report.uploader;
  if (uploader.running)
    return "running, process " + std::to_string(uploader.pid) + ", version " +
           printable(uploader.version);
  if (uploader.silent_pid != 0)
    return "does not answer, process " + std::to_string(uploader.silent_pid);
  return "not running (`shim-ctl start` starts it)";
}

std::string redis_line(const StatusReport& report) {
  const std::string name = report.config.shown(Option::REDIS_URL) +
                           (report.config.redis_is_default() ? " (private)" : "");
  return name + (report.volume.redis_answers
                     ? ", answers"
                     : ", does not answer: " + printable(report.volume.redis_trouble));
}

Blockage blockage(const StatusReport& report) {
  return blockage_of(*report.volume.oldest, report.uploader.status, SystemClock().wall_ms());
}

std::string store_trouble(const StatusReport& report) {
  const Json* store = report.uploader.status.find("store");
  return store != nullptr ? store->text_of("trouble") : "";
}

// What the uploader cannot do with a Redis that answers us.
std::string redis_trouble(const StatusReport& report) {
  const Json* redis = report.uploader.status.find("redis");
  return redis != nullptr ? redis->text_of("trouble") : "";
}

// What the uploader says of the staging disk and the limits.
std::string room_line(const Json& status) {
  const Json* room = status.find("pressure");
  if (room == nullptr) return "";
  const uint64_t total = room->number_of("total_bytes");
  std::string text = human_bytes(room->number_of("free_bytes")) + " of " + human_bytes(total) +
                     " free, " + human_bytes(room->number_of("reserve_bytes")) + " kept back";
  if (const uint64_t most = room->number_of("max_staged"); most > 0)
    text += ", " + human_bytes(room->number_of("staged_bytes")) + " of " + human_bytes(most) +
            " staged";
  if (const std::string level = room->text_of("level"); level != "none")
    text += "; " + printable(level) + " pressure: " + printable(room->text_of("cause"));
  return text;
}

// Never used, or stopped on purpose with nothing left to do: no Redis then is nothing wrong.
bool redis_is_missed(const StatusReport& report) {
  return !report.config.redis_is_default() || report.uploader.running ||
         report.uploader.silent_pid != 0 || report.volume.journal_lines > 0;
}

}  // namespace

std::vector<std::string> problems(const StatusReport& report) {
  std::vector<std::string> found;
  const VolumeView& volume = report.volume;
  if (!volume.redis_answers && redis_is_missed(report)) {
    found.push_back(report.config.complaint(
        Option::REDIS_URL,
        "Redis does not answer (" + printable(volume.redis_trouble) + "); " +
            (report.config.redis_is_default() ? "`shim-ctl start` starts it"
                                              : "is it running, and is the URL right?")));
  }
  if (const std::string trouble = redis_trouble(report); volume.redis_answers && !trouble.empty()) {
    found.push_back(report.config.complaint(
        Option::REDIS_URL, "Redis does not do what the uploader asks (" + printable(trouble) +
                               "); changes wait in the journal"));
  }
  if (!report.uploader.running && report.uploader.silent_pid != 0) {
    found.push_back("the uploader, process " + std::to_string(report.uploader.silent_pid) +
                    ", does not answer; `shim-ctl stop`, then `shim-ctl start`");
  }
  if (const std::string trouble = store_trouble(report); !trouble.empty()) {
    found.push_back(report.config.complaint(
        Option::STORE_URL, "the store refuses or does not answer: " + printable(trouble)));
  }
  if (!volume.dead.empty()) {
    found.push_back(number(volume.dead.size(), "file", "files") +
                    " cannot be uploaded until somebody mends the cause named above; "
                    "each is tried again within the hour");
  }
  return found;
}

std::string status_screen(const StatusReport& report) {
  const VolumeView& volume = report.volume;
  const Config& config = report.config;
  std::string text;
  const auto fact = [&](std::string name, const std::string& what) {
    name.resize(10, ' ');
    text += name + what + "\n";
  };
  fact("volume", printable(config.volume()) + " at " + printable(config.prefix()));
  fact("staging", printable(config.staging()) + (report.staging_exists ? "" : " (not made yet)"));
  fact("uploader", uploader_line(report));
  fact("redis", redis_line(report));
  const std::string trouble = store_trouble(report);
  fact("store", config.shown(Option::STORE_URL) +
                    (trouble.empty() ? "" : ", trouble: " + printable(trouble)));
  if (volume.redis_answers) {
    fact("waiting",
         number(volume.files, "file", "files") + ", " + human_bytes(volume.bytes) +
             (volume.waiting > volume.files
                  ? ", " + number(volume.waiting - volume.files, "other entry", "other entries")
                  : "") +
             (volume.oldest_ms > 0 ? ", the oldest for " + human_duration(volume.oldest_ms) : ""));
    if (volume.deletions > 0) fact("deleting", number(volume.deletions, "object", "objects"));
    if (volume.settling > 0)
      fact("checking", number(volume.settling, "unanswered request", "unanswered requests"));
  }
  if (volume.oldest) {
    fact("oldest", printable(config.prefix() + "/" + volume.oldest->path) + ", for " +
                       human_duration(volume.oldest->age_ms) + ": " + blockage(report).text);
  }
  const Json& told = report.uploader.status;
  if (told.text_of("mode") == "reduced")
    fact("mode", "reduced: " + printable(told.text_of("mode_reason")));
  if (const std::string off = told.text_of("metrics_off"); !off.empty())
    fact("metrics", "not served over HTTP: " + printable(off));
  if (const std::string room = room_line(told); !room.empty()) fact("room", room);
  if (const uint64_t open = told.number_of("open_for_writing"); open > 0) {
    fact("open",
         number(open, "file is", "files are") + " open for writing, and uploaded after the close");
  }
  if (report.uploader.running)
    fact("in flight", std::to_string(from_uploader(report, "in_flight", 0)));
  if (volume.local.entries > 0)
    fact("local",
         std::string(volume.local.complete ? "" : "at least ") +
             number(volume.local.entries, "FIFO, socket or device", "FIFOs, sockets and devices") +
             ", on this machine only");
  if (volume.journal_lines > 0)
    fact("journal",
         number(volume.journal_lines, "change", "changes") + " that Redis does not know yet");
  if (told.find("recovering") != nullptr && told.find("recovering")->truth())
    fact("mode",
         "recovering after a reboot: nothing is uploaded before the tree has been looked at");
  if (const Json* quarantine = told.find("quarantine"); quarantine != nullptr) {
    const uint64_t files = quarantine->number_of("files");
    if (files > 0)
      fact("quarantine", number(files, "file", "files") + " in " +
                             printable(config.in_staging(layout::kQuarantine)));
  }
  for (size_t i = 0; i < volume.dead.size() && i < kShownDead; i++) {
    const DeadLetter& letter = volume.dead[i];
    fact(i == 0 ? "dead" : "", printable(config.prefix() + "/" + letter.path) + ": " +
                                   printable(letter.error_class) + ": " +
                                   printable(letter.message) + " (" +
                                   number(letter.attempts, "attempt", "attempts") + ")");
  }
  if (volume.dead.size() > kShownDead)
    fact("", "and " + std::to_string(volume.dead.size() - kShownDead) +
                 " more: `shim-ctl status --json`");
  for (const std::string& problem : problems(report)) fact("PROBLEM", problem);
  return text;
}

std::string status_document(const StatusReport& report) {
  const VolumeView& volume = report.volume;
  const Config& config = report.config;
  Json uploader = Json::object(), redis = Json::object(), store = Json::object(),
       staged = Json::object(), json = Json::object();
  Json dead = Json::array(), wrong = Json::array();
  uploader.set("running", report.uploader.running);
  if (report.uploader.running)
    uploader.set("pid", int64_t{report.uploader.pid}).set("version", report.uploader.version);
  if (report.uploader.status.is_object()) uploader.set("status", report.uploader.status);
  redis.set("url", hide_secrets(config.redis_url()))
      .set("private", config.redis_is_default())
      .set("reachable", volume.redis_answers);
  if (!volume.redis_answers) redis.set("error", volume.redis_trouble);
  store.set("url", hide_secrets(config.store_url()));
  if (const std::string trouble = store_trouble(report); !trouble.empty())
    store.set("error", trouble);
  staged.set("files", volume.files).set("bytes", volume.bytes).set("entries", volume.waiting);
  staged.set("oldest_age_seconds", static_cast<double>(volume.oldest_ms) / 1000);
  if (volume.oldest) {
    const Blockage blocked = blockage(report);
    Json oldest = Json::object();
    oldest.set("path", volume.oldest->path);
    oldest.set("age_seconds", static_cast<double>(volume.oldest->age_ms) / 1000);
    oldest.set("blocked_by", blocked.by).set("detail", blocked.text);
    if (volume.oldest->due_in_ms > 0)
      oldest.set("due_in_seconds", static_cast<double>(volume.oldest->due_in_ms) / 1000);
    json.set("oldest", std::move(oldest));
  }
  for (const DeadLetter& letter : volume.dead) {
    Json row = Json::object();
    row.set("path", letter.path).set("class", letter.error_class).set("message", letter.message);
    row.set("attempts", letter.attempts).set("time", letter.time_ms);
    dead.push(std::move(row));
  }
  for (const std::string& problem : problems(report)) wrong.push(Json(problem));
  json.set("ok", wrong.items().empty())
      .set("volume", config.volume())
      .set("prefix", config.prefix());
  json.set("staging", config.staging()).set("client", volume.client);
  json.set("uploader", std::move(uploader))
      .set("redis", std::move(redis))
      .set("store", std::move(store));
  json.set("staged", std::move(staged)).set("in_flight", from_uploader(report, "in_flight", 0));
  json.set("deletions", volume.deletions)
      .set("settling", volume.settling)
      .set("local_only", volume.local.entries)
      .set("journal_lines", volume.journal_lines);
  json.set("dead", std::move(dead)).set("problems", std::move(wrong));
  return json.dump() + "\n";
}

}  // namespace wbshim::ctl
