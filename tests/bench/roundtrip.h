// One EVALSHA of the publish script with the arguments of a freshly created file of 4 KiB, by
// plain send() and recv() of a ready-made request: what no client can go below.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wbshim::bench {

class RoundTrips {
 public:
  // Connects to Redis' Unix socket and makes `count` requests ready, each for a file of its own in
  // a volume of their own ("bench-roundtrip"). Ends the process when that fails.
  RoundTrips(const char* socket, size_t count);
  ~RoundTrips();
  RoundTrips(const RoundTrips&) = delete;
  RoundTrips& operator=(const RoundTrips&) = delete;

  // Does the next one, at most `count` in all; nanoseconds. An error reply ends the process.
  uint64_t next();

 private:
  void exchange(const std::string& request) const;

  int fd_;
  size_t done_ = 0;
  std::vector<std::string> requests_;
};

}  // namespace wbshim::bench
