#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/layout.h"
#include "core/store/store.h"
#include "core/util/display.h"
#include "core/util/fd.h"
#include "core/volume/record.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/paths.h"
#include "tools/ctl/report.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {
namespace {

constexpr uint64_t kFetchBoundMs = 300000;

bool starts_with(const std::string& text, const std::string& head) {
  return text.compare(0, head.size(), head) == 0;
}

// The staged copy, symbolic links followed as long as they stay in the tree; empty when there is
// none.
Fd open_staged(const Config& config, const std::string& path) {
  const std::string tree = config.in_staging(layout::kTree);
  char* real = realpath((tree + "/" + path).c_str(), nullptr);
  const std::string target = real != nullptr ? real : "";
  free(real);
  // Under the library itself the answer is the name that programs see.
  if (!starts_with(target, tree + "/") && !starts_with(target, config.prefix() + "/")) return Fd();
  Fd fd(open(target.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat st {};
  return fd && fstat(fd.get(), &st) == 0 && S_ISREG(st.st_mode) ? std::move(fd) : Fd();
}

Outcome print_file(int fd, const std::string& name) {
  char room[1 << 16];
  ssize_t n;
  while ((n = read(fd, room, sizeof room)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Outcome::failed("cat: cannot read " + name + ": " + strerror(errno));
    if (!put_out(std::string_view(room, static_cast<size_t>(n)))) return {kFailed, ""};
  }
  return {};
}

Outcome fetch(const Config& config, const std::string& key, const std::string& name) {
  StoreOptions options;
  options.url = config.store_url();
  options.addressing = config.s3_addressing();
  options.checksum = config.s3_checksum();
  options.anonymous = config.s3_anonymous();
  options.max_connections = 1;
  auto store = open_store(options);
  if (!store) return Outcome::wrong(store.message());
  bool done = false;
  StoreResult result;
  store.value()->get(key, [&](StoreResult r) {
    result = std::move(r);
    done = true;
  });
  const SystemClock clock;
  const uint64_t end = clock.now_ms() + kFetchBoundMs;
  std::vector<Store::Extra> extras;
  while (!done && clock.now_ms() < end) store.value()->poll(extras, 500);
  if (!done) return Outcome::failed("cat: the store did not send " + name + " within 5 min");
  if (result.outcome == StoreOutcome::Absent)
    return Outcome::failed("cat: " + name + " is not in the store");
  if (result.outcome != StoreOutcome::Stored)
    return Outcome::failed("cat: cannot fetch " + name + ": " + printable(result.message));
  return put_out(result.body) ? Outcome{} : Outcome{kFailed, ""};
}

Outcome print_one(const Config& config, const std::string& path) {
  const std::string name = printable(config.prefix() + (path.empty() ? "" : "/" + path));
  if (const Fd local = open_staged(config, path)) return print_file(local.get(), name);
  VolumeLink link(config);
  if (!link.redis().connect()) {
    return Outcome::failed("cat: " + name + " has no local copy, and " +
                           config.complaint(Option::REDIS_URL, "Redis does not answer (" +
                                                                   link.redis().trouble() + ")"));
  }
  const Reply row =
      link.redis().command({"HGET", link.volume().dir(parent_of(path)), name_of(path)});
  const auto record = parse_record(row.text);
  if (path.empty() || (record && record->type == 'd'))
    return Outcome::failed("cat: " + name + " is a directory");
  if (!record || record->tombstone()) return Outcome::failed("cat: Redis knows no '" + name + "'");
  if (record->type == 'l')
    return Outcome::failed("cat: " + name + " is a link to " + printable(record->target));
  if (record->staged() || record->etag.empty()) {
    return Outcome::failed("cat: " + name + " is not uploaded yet, and its bytes are at client " +
                           printable(record->owner));
  }
  return fetch(config, object_key(path, record->type), name);
}

}  // namespace

int command_cat(const CommandLine& line, const Config& config) {
  int status = kDone;
  for (const std::string& word : line.words) {
    const Result<std::string> path = path_in_prefix(config, word, working_directory());
    const Outcome one =
        path ? print_one(config, path.value()) : Outcome::wrong("cat: " + path.message());
    status = std::max(status, report(one));
  }
  return status;
}

}  // namespace wbshim::ctl
