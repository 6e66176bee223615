// A redis-server of a test's own, on a Unix socket in a temporary directory.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "core/util/bytes.h"
#include "core/util/clock.h"
#include "core/volume/redis.h"
#include "tests/unit/support/scratch.h"

namespace wbshim::test {

class RedisChild {
 public:
  RedisChild() { start(); }
  ~RedisChild() { stop(); }
  RedisChild(const RedisChild&) = delete;
  RedisChild& operator=(const RedisChild&) = delete;

  void start() {
    std::string socket = path();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      int null = open("/dev/null", O_RDWR);
      dup2(null, 0);
      dup2(null, 1);
      execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket.c_str(),
             "--save", "", "--dir", scratch_.path().c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    Redis probe(address(), 1000, clock_);
    for (uint64_t end = clock_.now_ms() + 60000; clock_.now_ms() < end; usleep(5000)) {
      if (probe.connect() && probe.command({"PING"})) return;
    }
    stop();
    throw std::runtime_error("redis-server does not start");
  }
  void stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  std::string path() const { return scratch_.at("redis.sock"); }
  RedisAddress address() const {
    RedisAddress address;
    std::string url = "unix://" + path();
    if (const char* trouble = address.parse(bytes(url))) throw std::runtime_error(trouble);
    return address;
  }

 private:
  Scratch scratch_;
  SystemClock clock_;
  pid_t pid_ = -1;
};

}  // namespace wbshim::test
