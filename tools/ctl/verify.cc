#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/layout.h"
#include "core/base/protocol.h"
#include "core/store/store_options.h"
#include "core/util/display.h"
#include "core/volume/identity.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/leftover_parts.h"
#include "tools/ctl/paths.h"
#include "tools/ctl/services.h"
#include "tools/ctl/uploader_client.h"
#include "tools/ctl/verify_walk.h"

namespace wbshim::ctl {
namespace {

constexpr size_t kLinesOnTerminal = 100;
constexpr int kScanMs = 600'000;
constexpr int kAnswerMs = 10'000;

// The last generation of which the tree is no evidence: what run/tree says (the tree was found to be
// another one), or all that is older than the tree itself.
uint64_t tree_floor(const Config& config, const Tree& tree) {
  const std::string note = read_small_file(config.in_staging(layout::kTreeId));
  const size_t space = note.find(' ');
  const uint64_t floor =
      space == std::string::npos ? 0 : strtoull(note.c_str() + space, nullptr, 10);
  struct statx born = {};
  struct stat client = {};
  uint64_t birth_us = 0;
  if (statx(tree.fd(), "", AT_EMPTY_PATH, STATX_BTIME, &born) == 0 &&
      (born.stx_mask & STATX_BTIME) != 0) {
    birth_us =
        static_cast<uint64_t>(born.stx_btime.tv_sec) * 1'000'000 + born.stx_btime.tv_nsec / 1000;
  } else if (stat(config.in_staging(layout::kClientId).c_str(), &client) == 0) {
    birth_us = static_cast<uint64_t>(client.st_mtim.tv_sec) * 1'000'000;
  }
  return std::max(floor, birth_us);
}

void report_quarantine(const std::string& directory, const std::string& base,
                       VerifyReport& report) {
  DIR* entries = opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat st = {};
    std::string full = directory;
    full.append("/").append(name);
    if (lstat(full.c_str(), &st) != 0) continue;
    if (S_ISDIR(st.st_mode)) {
      report_quarantine(full, std::string(base).append(name).append("/"), report);
    } else {
      report.tell(base + name, {Finding::Quarantined, "kept as " + printable(full), {}}, {});
    }
  }
  closedir(entries);
}

// Whatever the tree has that Redis does not know is published by the uploader's scan. An empty text,
// or why that could not be.
std::string scan(const Config& config) {
  auto uploader = UploaderClient::connect(config);
  if (!uploader || !uploader->send(protocol::kScan)) return "the uploader does not answer";
  const auto answer = uploader->line(kScanMs);
  if (!answer) return "the uploader's scan did not end in time";
  return *answer == "OK"
             ? ""
             : "the uploader's scan: " + answer->substr(answer->rfind("ERR ", 0) == 0 ? 4 : 0);
}

void tell_uploader(const Config& config) {
  auto uploader = UploaderClient::connect(config);
  if (uploader && uploader->send(protocol::kRetry)) (void)uploader->line(kAnswerMs);
}

struct Parts {
  const CommandLine& line;
  const Config& config;
  VolumeLink& link;
  const Tree& tree;
  Store& store;
  VerifyReport& report;
};

// Empty, or why not everything could be looked at.
std::string compare(const Parts& parts, const std::vector<std::string>& paths) {
  StoreReader reader(parts.store);
  FactFinder finder(parts.config, parts.link, parts.tree, reader);
  Mender mender(parts.line, parts.link, parts.tree, reader);
  const VerifyRule rule{parts.link.volume().client, boot_id(),
                        tree_floor(parts.config, parts.tree)};
  VerifyWalk walk(parts.line, parts.link, parts.tree, reader, finder, rule,
                  parts.line.repair ? &mender : nullptr, parts.report);
  std::string unknown;
  for (const std::string& path : paths) {
    if (!walk.walk(path)) return walk.trouble();
    if (walk.seen() == 0 && !path.empty())
      unknown = "nothing is known of '" + printable(parts.config.prefix() + "/" + path) + "'";
  }
  if (!walk.finish()) return walk.trouble();
  const bool all = paths.size() == 1 && paths.front().empty();
  if (all && unknown.empty())
    unknown = check_leftover_parts(parts.link, parts.store, parts.line.repair, parts.report);
  const std::string scanned = mender.wants_scan() ? scan(parts.config) : std::string();
  return scanned.empty() ? unknown : scanned;
}

int verify(const CommandLine& line, const Config& config, const std::vector<std::string>& paths) {
  std::string failure;
  if (line.repair) {
    if (const Outcome started = start_services(line, config); !started.ok()) return report(started);
    failure = scan(config);
  }
  VolumeLink link(config);
  if (link.volume().client.empty() || access(config.in_staging(layout::kTree).c_str(), F_OK) != 0)
    return report(Outcome::failed("verify: nobody has used the staging directory " +
                                  config.shown(Option::STAGING_DIR) + " yet"));
  if (!link.redis().connect()) return report(redis_away(config, link.redis()));
  Result<Tree> tree = Tree::open(config.staging(), config.prefix());
  if (!tree) return report(Outcome::failed("verify: " + tree.message()));
  auto store = open_store(store_options(config, config.max_uploads()));
  if (!store) return report(Outcome::wrong(store.message()));
  VerifyReport told(config.prefix(), line.json, isatty(STDOUT_FILENO) != 0 ? kLinesOnTerminal : 0);
  const std::string trouble =
      compare({line, config, link, tree.value(), *store.value(), told}, paths);
  if (failure.empty()) failure = trouble;
  report_quarantine(config.in_staging(layout::kQuarantine), "", told);
  if (line.repair) tell_uploader(config);
  told.finish(failure);
  if (!failure.empty()) return report(Outcome::failed("verify: " + printable(failure)));
  return told.well() && !told.broken() ? kDone : kFailed;
}

}  // namespace

int command_verify(const CommandLine& line, const Config& config) {
  std::vector<std::string> paths;
  for (const std::string& word : line.words) {
    const Result<std::string> path = path_in_prefix(config, word, working_directory());
    if (!path) return report(Outcome::wrong("verify: " + path.message()));
    paths.push_back(path.value());
  }
  if (paths.empty()) paths.emplace_back();
  return verify(line, config, paths);
}

}  // namespace wbshim::ctl
