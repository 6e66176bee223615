#include "tools/ctl/uploader_service.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/layout.h"
#include "core/base/protocol.h"
#include "core/util/clock.h"
#include "core/util/display.h"
#include "core/util/json.h"
#include "core/volume/identity.h"
#include "tools/ctl/daemon.h"
#include "tools/ctl/places.h"
#include "tools/ctl/process.h"
#include "tools/ctl/uploader_client.h"

namespace wbshim::ctl {
namespace {

constexpr uint64_t kReadyBoundMs = 60000;
constexpr int kStopBoundMs = 120000;  // uploads in flight are finished

// The uploader has another working directory: what names files relative to ours is made absolute.
void make_absolute(std::vector<std::string>& environment, const Config& config) {
  char* here = getcwd(nullptr, 0);
  const std::string cwd = here != nullptr ? here : "/";
  free(here);
  for (std::string& entry : environment) {
    const size_t equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    for (const char* file :
         {"AWS_CA_BUNDLE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE",
          "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}) {
      if (name == file && entry.size() > equals + 1 && entry[equals + 1] != '/')
        entry.insert(equals + 1, cwd + "/");
    }
    if (name == "WBSHIM_CONFIG") entry = name + "=" + config.text(Option::CONFIG);
  }
}

DaemonPlan uploader_plan(const std::string& program, const CommandLine& line,
                         const Config& config) {
  DaemonPlan plan;
  plan.program = program;
  plan.environment = daemon_environment();
  make_absolute(plan.environment, config);
  for (const Flag& flag : line.flags) {
    // Everybody can read a daemon's command line.
    if (hide_secrets(flag.value) == flag.value) {
      const std::string& value =
          flag.option == Option::CONFIG ? config.text(Option::CONFIG) : flag.value;
      plan.arguments.push_back("--" + flag_name(flag.option) + "=" + value);
      continue;
    }
    const std::string head = environment_name(flag.option) + "=";
    std::erase_if(plan.environment, [&](const std::string& entry) {
      return entry.compare(0, head.size(), head) == 0;
    });
    plan.environment.push_back(head + flag.value);
  }
  plan.directory = config.staging();
  plan.output = config.in_staging(layout::kLog);
  return plan;
}

// The line on the readiness pipe; empty when the pipe ended or the bound passed (*late).
std::string read_readiness(int fd, bool* late) {
  const SystemClock clock;
  const uint64_t end = clock.now_ms() + kReadyBoundMs;
  std::string text;
  while (text.find('\n') == std::string::npos) {
    const uint64_t now = clock.now_ms();
    pollfd wait{fd, POLLIN, 0};
    const int ready = now < end ? poll(&wait, 1, static_cast<int>(end - now)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    *late = ready == 0;
    char room[1024];
    const ssize_t n = ready > 0 ? read(fd, room, sizeof room) : 0;
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    text.append(room, static_cast<size_t>(n));
  }
  return text.substr(0, text.find('\n'));
}

// An uploader that does not answer any more is asked by signal.
Outcome end_silent_uploader(pid_t pid) {
  const Fd process = open_process(pid);
  if (kill(pid, SIGTERM) != 0 && errno != ESRCH) {
    return Outcome::failed("cannot end the uploader, process " + std::to_string(pid) + ": " +
                           strerror(errno));
  }
  if (wait_for_end(process, kStopBoundMs)) return {};
  return Outcome::failed("the uploader, process " + std::to_string(pid) +
                         ", does not end; end it with `kill -9`: nothing is lost");
}

}  // namespace

Outcome start_uploader(const CommandLine& line, const Config& config) {
  const Result<std::string> program = find_uploader();
  if (!program) return Outcome::failed(program.message());
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Outcome::failed(std::string("no pipe: ") + strerror(errno));
  const Fd ready(ends[0]);
  Fd theirs(ends[1]);
  DaemonPlan plan = uploader_plan(program.value(), line, config);
  plan.keep.emplace_back(theirs.get(), layout::kReadyFd);
  plan.arguments.push_back("--ready-fd=" + std::to_string(layout::kReadyFd));
  if (Status spawned = spawn_daemon(plan); !spawned) return Outcome::failed(spawned.message());
  theirs.reset();
  bool late = false;
  const std::string answer = read_readiness(ready.get(), &late);
  if (answer == "ready") return {};
  const std::string log =
      printable(config.log_file().empty() ? config.in_staging(layout::kLog) : config.log_file());
  if (answer.compare(0, 7, "error: ") == 0) return Outcome::wrong(answer.substr(7));
  if (late) {
    bool stopped = false;
    (void)stop_uploader(config, &stopped);
    return Outcome::failed("the uploader was not ready within 60 s; see " + log);
  }
  return Outcome::failed("the uploader ended before it was ready; see " + log);
}

namespace {

// What the running uploader says of itself, if it does.
std::optional<Json> uploader_status(const Config& config) {
  auto uploader = UploaderClient::connect(config);
  const auto line =
      uploader && uploader->send(protocol::kStatus) ? uploader->line(10000) : std::nullopt;
  auto status = Json::parse(line.value_or(""));
  if (status && !status->is_object()) status.reset();
  return status;
}

}  // namespace

Outcome check_uploader_health(const Config& config) {
  const auto status = uploader_status(config);
  if (!status) return {};
  const Json* redis = status->find("redis");
  const Json* connected = redis != nullptr ? redis->find("connected") : nullptr;
  if (connected != nullptr && !connected->truth(true)) {
    const std::string trouble = printable(redis->text_of("trouble"));
    return Outcome::wrong(config.complaint(
        Option::REDIS_URL,
        "the uploader runs, and has no Redis (" + trouble + "); " + redis_advice(trouble)));
  }
  const Json* store = status->find("store");
  const std::string trouble = store ? printable(store->text_of("trouble")) : "";
  if (!trouble.empty())
    return Outcome::wrong(config.complaint(
        Option::STORE_URL,
        "the uploader runs, and the store refuses or does not answer: " + trouble));
  return {};
}

Outcome check_running_uploader(const Config& config) {
  const auto status = uploader_status(config);
  if (!status) return {};
  constexpr std::pair<Option, const char*> kFixed[] = {{Option::PREFIX, "prefix"},
                                                       {Option::VOLUME, "volume"},
                                                       {Option::STORE_URL, "store_url"},
                                                       {Option::REDIS_URL, "redis_url"}};
  for (const auto& [option, name] : kFixed) {
    const std::string theirs = printable(status->text_of(name));
    if (theirs.empty() || theirs == config.shown(option)) continue;
    return Outcome::wrong(config.complaint(option, "but the running uploader has '" + theirs +
                                                       "'; end it first with `shim-ctl stop`"));
  }
  return {};
}

Outcome stop_uploader(const Config& config, bool* stopped) {
  auto uploader = UploaderClient::connect(config);
  if (!uploader) {
    const pid_t silent = silent_uploader(config);
    *stopped = silent != 0;
    return silent != 0 ? end_silent_uploader(silent) : Outcome{};
  }
  *stopped = true;
  const pid_t pid = uploader->peer();
  const Fd process = open_process(pid);
  const bool told = uploader->send(protocol::kStop) && uploader->line(10000).has_value();
  if (!told && pid != 0) return end_silent_uploader(pid);
  if (pid != 0 && !wait_for_end(process, kStopBoundMs)) {
    return Outcome::failed("the uploader, process " + std::to_string(pid) +
                           ", still finishes its uploads; try again");
  }
  // In another PID namespace its process cannot be watched, but its end closes the connection.
  while (pid == 0 && uploader->line(kStopBoundMs).has_value()) {
  }
  return {};
}

}  // namespace wbshim::ctl
