// The redis-server of one staging directory: started and stopped by shim-ctl when WBSHIM_REDIS_URL
// is its default. It listens on <staging>/run/redis.sock alone, keeps an append-only file in
// <staging>/redis, and holds <staging>/run/redis.lock as long as it lives; so a server that
// somebody else runs on that socket is told from ours.
#pragma once

#include "core/util/config.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {

class PrivateRedis {
 public:
  // config must outlive this.
  explicit PrivateRedis(const Config& config) : config_(config) {}

  // A server answers PING on the socket, ours or not.
  bool answers() const;

  // Starts one unless one answers; returns when it does. The caller holds the staging directory's
  // control lock.
  Outcome start() const;

  // SHUTDOWN, and wait for its end, if it is ours; nothing otherwise. The append-only file keeps
  // the data.
  Outcome stop() const;

 private:
  enum class State { Answers, Loading, Silent };
  State ask(std::string* why) const;
  bool ours_runs() const;
  bool says_damaged() const;
  Outcome launch() const;
  Outcome wait_until_it_answers() const;

  const Config& config_;
};

}  // namespace wbshim::ctl
