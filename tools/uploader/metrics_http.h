// Metrics in Prometheus' text form, and an HTTP server that hands them out at /metrics.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/util/fd.h"
#include "core/util/result.h"

namespace wbshim {

struct Metric {
  enum class Kind { Counter, Gauge, Histogram };
  struct Sample {
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
    // Histogram only: (upper bound, cumulative count), and the sum in `value`.
    std::vector<std::pair<double, uint64_t>> buckets;
    uint64_t count = 0;
  };
  std::string name;
  std::string help;
  Kind kind = Kind::Counter;
  std::vector<Sample> samples;
};

std::string render_metrics(const std::vector<Metric>& metrics);

// Serves on its own thread what the loop's thread provides: a request wakes the loop through
// wanted_fd(), the loop calls provide(). A loop that is busy for longer than a second has its last
// text handed out.
class MetricsHttp {
 public:
  MetricsHttp();
  ~MetricsHttp();
  MetricsHttp(const MetricsHttp&) = delete;
  MetricsHttp& operator=(const MetricsHttp&) = delete;

  // address: "host:port", port 0 for any. The error is a sentence with the address. Signals of the
  // process are not delivered to the thread when the caller has blocked them.
  Status start(const std::string& address);
  // The port that is served; 0: not started.
  int port() const { return port_; }

  // Readable when somebody asks.
  int wanted_fd() const { return wanted_.get(); }
  void provide(std::string text);

 private:
  struct Server;
  std::string take();

  std::unique_ptr<Server> server_;
  std::thread thread_;
  Fd wanted_;
  int port_ = 0;
  std::mutex lock_;
  std::condition_variable fresh_;
  std::string text_;
  uint64_t version_ = 0;
};

}  // namespace wbshim
