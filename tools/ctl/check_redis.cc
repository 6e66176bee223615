#include <stdlib.h>

#include <algorithm>
#include <string>

#include "core/util/display.h"
#include "core/volume/identity.h"
#include "tools/ctl/checks.h"
#include "tools/ctl/places.h"

namespace wbshim::ctl {
namespace {

constexpr uint64_t kLateMs = 2000;  // due times are Redis', pauses are ours
constexpr uint64_t kFullPercent = 80;

// A line "name:value" of INFO.
std::string info_field(const std::string& text, const std::string& name) {
  const size_t at = ("\n" + text).find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const size_t from = at + name.size() + 1;
  return text.substr(from, text.find_first_of("\r\n", from) - from);
}

uint64_t number(const std::string& text) {
  return strtoull(text.c_str(), nullptr, 10);
}

Finding memory(Redis& redis) {
  const std::string info = redis.command({"INFO", "memory"}).text;
  const uint64_t most = number(info_field(info, "maxmemory")),
                 used = number(info_field(info, "used_memory"));
  const std::string policy = info_field(info, "maxmemory_policy");
  if (policy.empty()) {
    return {Level::Warning, "redis memory", "it does not tell its maxmemory-policy",
            "make sure that it is noeviction"};
  }
  if (policy != "noeviction")  // probe_redis() asks CONFIG, this is INFO's word
    return {Level::Error, "redis memory", "its maxmemory-policy is " + printable(policy),
            "set it to noeviction: it may drop records of files"};
  const std::string found = human_bytes(used) + " used" +
                            (most > 0 ? " of " + human_bytes(most) : ", no limit") + ", noeviction";
  if (most > 0 && used > most / 100 * kFullPercent)
    return {Level::Warning, "redis memory", found,
            "raise maxmemory: a full Redis records nothing, and changes wait in the journal"};
  return {Level::Ok, "redis memory", found, ""};
}

Finding persistence(Redis& redis) {
  const std::string info = redis.command({"INFO", "persistence"}).text;
  const std::string aof = info_field(info, "aof_enabled");
  const char* what = "redis persistence";
  if (aof.empty()) return {Level::Warning, what, "it does not tell", "use appendonly yes"};
  if (aof != "1") {
    return {Level::Warning, what, "no append-only file",
            "set appendonly yes: after a restart without it, records are rebuilt from the tree, "
            "and deletions that nobody has carried out are forgotten"};
  }
  if (info_field(info, "aof_last_write_status") != "ok")
    return {Level::Error, what, "the append-only file cannot be written",
            "look at its disk and its log"};
  return {Level::Ok, what, "append-only file", ""};
}

// Half of what the question took is given to the way there.
Finding time_of(Redis& redis, const Clock& clock) {
  const uint64_t before = clock.wall_ms();
  const Reply reply = redis.command({"TIME"});
  const uint64_t after = clock.wall_ms();
  if (reply.items.size() != 2) return {Level::Warning, "clock", "Redis does not tell its time", ""};
  const uint64_t theirs = number(reply.items[0].text) * 1000 + number(reply.items[1].text) / 1000;
  const uint64_t ours = before + (after - before) / 2;
  const uint64_t off = std::max(ours, theirs) - std::min(ours, theirs);
  const std::string found = "Redis' and this machine's differ by " + human_duration(off);
  if (off > kLateMs) return {Level::Warning, "clock", found, "let both follow NTP"};
  return {Level::Ok, "clock", found, ""};
}

bool private_and_down(const Config& config, Redis& redis) {
  return config.redis_is_default() && !redis.connect();
}

Finding private_one(const Config& config, const std::string& trouble) {
  const std::string found = "the private one does not run (" + printable(trouble) + ")";
  if (find_program("redis-server").empty())
    return {Level::Error, "redis", "there is no redis-server to start",
            "install it (tools/install-packages build), or name a running one with "
            "WBSHIM_REDIS_URL"};
  return {Level::Warning, "redis", config.shown(Option::REDIS_URL) + ": " + found,
          "`shim-ctl start` starts it; until then changes wait in the journal"};
}

}  // namespace

void check_redis(const Config& config, Findings& findings) {
  VolumeLink link(config);
  Redis& redis = link.redis();
  if (private_and_down(config, redis)) {
    findings.push_back(private_one(config, redis.trouble()));
    return;
  }
  const Status probed = probe_redis(redis, config);
  if (!probed) {
    findings.push_back({Level::Error, "redis", printable(probed.message()),
                        redis.connected() ? "" : "is it running, and is the URL right?"});
    if (!redis.connected()) return;
  } else {
    const std::string version = info_field(redis.command({"INFO", "server"}).text, "redis_version");
    findings.push_back({Level::Ok, "redis",
                        config.shown(Option::REDIS_URL) + " answers, version " +
                            (version.empty() ? "unknown" : printable(version)) +
                            ", and takes the scripts",
                        ""});
  }
  findings.push_back(memory(redis));
  findings.push_back(persistence(redis));
  findings.push_back(time_of(redis, link.clock()));
}

}  // namespace wbshim::ctl
