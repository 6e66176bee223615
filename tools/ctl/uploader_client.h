// shim-ctl's end of the uploader's socket (core/base/protocol.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/util/config.h"
#include "core/util/fd.h"
#include "core/util/result.h"

namespace wbshim::ctl {

class UploaderClient {
 public:
  // Nothing: no uploader listens.
  static std::optional<UploaderClient> connect(const Config& config);

  // One request; the NUL is added here. False: the connection is gone.
  bool send(const std::string& request);

  // The next line of the answer, without its end. Nothing: `timeout_ms` passed (timed_out()), or
  // the connection is gone.
  std::optional<std::string> line(int timeout_ms);
  bool timed_out() const { return timed_out_; }

  // The uploader's process, as the kernel knows it; 0 when it lives in another PID namespace.
  pid_t peer() const;

 private:
  explicit UploaderClient(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
  std::string buffer_;
  bool timed_out_ = false;
};

struct Pong {
  std::string version;
  pid_t pid = 0;
};
// PING. Nothing: no uploader, or none that answers within the bound.
std::optional<Pong> ping_uploader(const Config& config, int timeout_ms = 10000);

// The process that wrote <staging>/run/uploader.pid, if it lives and is an uploader; else 0. For
// one that does not answer.
pid_t silent_uploader(const Config& config);

}  // namespace wbshim::ctl
