#include "tools/ctl/services.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/layout.h"
#include "core/util/display.h"
#include "core/util/staging_dir.h"
#include "tools/ctl/private_redis.h"
#include "tools/ctl/process.h"
#include "tools/ctl/uploader_client.h"
#include "tools/ctl/uploader_service.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {
namespace {

constexpr const char* kControlLock = "run/ctl.lock";

}  // namespace

Outcome start_services(const CommandLine& line, const Config& config, bool* started) {
  if (started != nullptr) *started = false;
  const PrivateRedis redis(config);
  const auto redis_runs = [&] { return !config.redis_is_default() || redis.answers(); };
  if (redis_runs() && ping_uploader(config)) return check_running_uploader(config);
  if (Status prepared = prepare_staging(config); !prepared)
    return Outcome::wrong(prepared.message());
  const auto lock = take_lock(config.in_staging(kControlLock), true);
  if (!lock)
    return Outcome::failed("cannot lock " + printable(config.in_staging(kControlLock)) + ": " +
                           strerror(errno));
  if (started != nullptr) *started = true;
  const bool redis_was_there = redis_runs();
  if (!redis_was_there) {
    if (Outcome redis_started = redis.start(); !redis_started.ok()) return redis_started;
  }
  if (ping_uploader(config)) return check_running_uploader(config);  // somebody was faster
  Outcome uploader = start_uploader(line, config);
  if (!uploader.ok() && !redis_was_there)
    (void)redis.stop();  // a start that failed leaves nothing behind
  return uploader;
}

Outcome stop_services(const Config& config, int64_t* pending, bool* stopped) {
  *pending = 0;
  *stopped = false;
  if (access(config.in_staging(layout::kRunDir).c_str(), F_OK) != 0) return {};
  const auto lock = take_lock(config.in_staging(kControlLock), true);
  if (!lock)
    return Outcome::failed("cannot lock " + printable(config.in_staging(kControlLock)) + ": " +
                           strerror(errno));
  if (Outcome ended = stop_uploader(config, stopped); !ended.ok()) return ended;
  const VolumeView view = look_at_volume(config, false);
  const uint64_t waiting = view.waiting + view.deletions + view.journal_lines;
  *pending = view.redis_answers || waiting > 0 ? static_cast<int64_t>(waiting) : -1;
  if (!config.redis_is_default()) return {};
  const PrivateRedis redis(config);
  *stopped = redis.answers() || *stopped;
  return redis.stop();
}

}  // namespace wbshim::ctl
