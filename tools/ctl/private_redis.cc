#include "tools/ctl/private_redis.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <fstream>

#include "core/base/layout.h"
#include "core/base/redis_link.h"
#include "core/util/bytes.h"
#include "core/util/clock.h"
#include "core/util/display.h"
#include "tools/ctl/daemon.h"
#include "tools/ctl/places.h"
#include "tools/ctl/process.h"
#include "tools/ctl/redis_repair.h"

namespace wbshim::ctl {
namespace {

constexpr const char* kLockFile = "run/redis.lock";
constexpr const char* kLogFile = "run/redis.log";
constexpr uint64_t kStartBoundMs = 10000;
constexpr uint64_t kLoadBoundMs =
    300000;  // a long append-only file is read before the first answer
constexpr int kStopBoundMs = 30000;
constexpr int kLockFd = 4;

void pause_ms(long ms) {
  const timespec t{ms / 1000, ms % 1000 * 1000000};
  nanosleep(&t, nullptr);
}

// Its working directory is <staging>/redis: relative names keep the socket's within the 107 bytes
// an address holds.
std::vector<std::string> server_arguments() {
  return {"--port",
          "0",
          "--unixsocket",
          "../run/redis.sock",
          "--unixsocketperm",
          "600",
          "--pidfile",
          "../run/redis.pid",
          "--daemonize",
          "no",
          "--logfile",
          "",  // its standard output, which we have opened: it would follow a symbolic link
          "--appendonly",
          "yes",
          "--save",
          "",
          "--maxmemory",
          "0",
          "--maxmemory-policy",
          "noeviction"};
}

}  // namespace

PrivateRedis::State PrivateRedis::ask(std::string* why) const {
  RedisAddress address;
  RedisLink link;
  State state = State::Silent;
  if (address.parse(bytes(config_.redis_url())) != nullptr) return state;
  if (link.connect(address, 1000)) {
    const Bytes ping[] = {Bytes("PING")};
    const RedisReply reply = link.command(ping);
    const bool loading = reply.is_error() && reply.text().starts_with("LOADING");
    if (reply) state = loading ? State::Loading : State::Answers;
    if (reply.is_error()) *why = to_string(reply.text());
  }
  if (state == State::Silent) *why = link.error();
  link.close();
  return state;
}

bool PrivateRedis::answers() const {
  std::string why;
  return ask(&why) == State::Answers;
}

bool PrivateRedis::ours_runs() const {
  return is_locked(config_.in_staging(kLockFile));
}

Outcome PrivateRedis::wait_until_it_answers() const {
  const SystemClock clock;
  const uint64_t begin = clock.now_ms();
  std::string why;
  for (;;) {
    const State state = ask(&why);
    if (state == State::Answers) return {};
    if (!ours_runs()) {
      return Outcome::failed("the private redis-server ended at once; see " +
                             printable(config_.in_staging(kLogFile)));
    }
    const uint64_t waited = clock.now_ms() - begin;
    if (waited > (state == State::Loading ? kLoadBoundMs : kStartBoundMs)) {
      return Outcome::failed("the private redis-server does not answer (" + printable(why) +
                             "); see " + printable(config_.in_staging(kLogFile)));
    }
    pause_ms(waited < 200 ? 2 : 20);
  }
}

Outcome PrivateRedis::start() const {
  if (answers()) return {};
  if (!ours_runs()) {
    if (Outcome launched = launch(); !launched.ok()) return launched;
  }
  Outcome started = wait_until_it_answers();
  // A power loss may have torn its file; the tree knows what that loses.
  for (bool keep_file : {true, false}) {
    if (started.ok() || ours_runs() || answers() || !says_damaged()) break;
    const Repaired repaired = repair_redis(config_.in_staging(layout::kRedisDir), keep_file);
    if (!repaired.outcome.ok()) continue;
    complain("the private Redis' append-only file was damaged: " + repaired.done);
    if (Outcome launched = launch(); !launched.ok()) return launched;
    started = wait_until_it_answers();
  }
  return started;
}

// Its last words, in the log.
bool PrivateRedis::says_damaged() const {
  std::ifstream log(config_.in_staging(kLogFile));
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return last.find("Bad file format") != std::string::npos ||
         last.find("append only file") != std::string::npos ||
         last.find("AOF") != std::string::npos;
}

Outcome PrivateRedis::launch() const {
  const auto lock = take_lock(config_.in_staging(kLockFile), false);
  if (!lock)
    return Outcome::failed("cannot lock " + printable(config_.in_staging(kLockFile)) + ": " +
                           strerror(errno));
  const std::string dir = config_.in_staging(layout::kRedisDir);
  if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return Outcome::wrong(config_.complaint(
        Option::STAGING_DIR, std::string("cannot make a directory in it: ") + strerror(errno)));
  }
  // It writes its number through a symbolic link, too.
  (void)unlink(config_.in_staging(layout::kRedisPid).c_str());
  const std::string program = find_program("redis-server");
  if (program.empty()) {
    return Outcome::wrong(
        config_.complaint(Option::REDIS_URL,
                          "there is no redis-server to start; install it (tools/install-packages "
                          "build), or name a running one with WBSHIM_REDIS_URL"));
  }
  DaemonPlan plan{program, server_arguments(),           daemon_environment(),
                  dir,     config_.in_staging(kLogFile), {{lock->get(), kLockFd}}};
  if (Status spawned = spawn_daemon(plan); !spawned) return Outcome::failed(spawned.message());
  return {};
}

Outcome PrivateRedis::stop() const {
  if (!ours_runs()) return {};
  RedisAddress address;
  RedisLink link;
  (void)address.parse(bytes(config_.redis_url()));
  if (link.connect(address, 2000)) {
    const Bytes shutdown[] = {Bytes("SHUTDOWN"), Bytes("NOSAVE")};
    (void)link.command(shutdown);  // it answers only when it refuses
    link.close();
  }
  const SystemClock clock;
  const uint64_t end = clock.now_ms() + kStopBoundMs;
  while (ours_runs()) {
    if (clock.now_ms() > end) {
      return Outcome::failed("the private redis-server does not end; see " +
                             printable(config_.in_staging(kLogFile)));
    }
    pause_ms(5);
  }
  return {};
}

}  // namespace wbshim::ctl
