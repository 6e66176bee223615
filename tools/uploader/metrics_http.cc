#include "tools/uploader/metrics_http.h"

#include <httplib.h>
#include <prometheus/text_serializer.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <sstream>

namespace wbshim {
namespace {

prometheus::ClientMetric convert(const Metric& metric, const Metric::Sample& sample) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
  switch (metric.kind) {
    case Metric::Kind::Counter:
      out.counter.value = sample.value;
      break;
    case Metric::Kind::Gauge:
      out.gauge.value = sample.value;
      break;
    case Metric::Kind::Histogram:
      out.histogram.sample_count = sample.count;
      out.histogram.sample_sum = sample.value;
      for (const auto& [bound, count] : sample.buckets)
        out.histogram.bucket.push_back({count, bound});
      break;
  }
  return out;
}

prometheus::MetricType convert(Metric::Kind kind) {
  switch (kind) {
    case Metric::Kind::Counter:
      return prometheus::MetricType::Counter;
    case Metric::Kind::Gauge:
      return prometheus::MetricType::Gauge;
    case Metric::Kind::Histogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

}  // namespace

std::string render_metrics(const std::vector<Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : metrics) {
    prometheus::MetricFamily family;
    family.name = metric.name;
    family.help = metric.help;
    family.type = convert(metric.kind);
    for (const Metric::Sample& sample : metric.samples)
      family.metric.push_back(convert(metric, sample));
    families.push_back(std::move(family));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

struct MetricsHttp::Server {
  httplib::Server http;
};

MetricsHttp::MetricsHttp() : wanted_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

MetricsHttp::~MetricsHttp() {
  if (!thread_.joinable()) return;
  server_->http.stop();
  thread_.join();
}

Status MetricsHttp::start(const std::string& address) {
  size_t colon = address.rfind(':');
  std::string host = colon == std::string::npos ? "" : address.substr(0, colon);
  std::string digits = colon == std::string::npos ? "" : address.substr(colon + 1);
  bool number = !digits.empty() && digits.size() <= 5 &&
                digits.find_first_not_of("0123456789") == std::string::npos;
  int port = number ? static_cast<int>(strtol(digits.c_str(), nullptr, 10)) : -1;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host.empty() || port < 0 || port > 65535) return Error{"'" + address + "' is no host:port"};
  server_ = std::make_unique<Server>();
  httplib::Server& http = server_->http;
  // The default takes a thread for each core.
  http.new_task_queue = [] { return new httplib::ThreadPool(1); };
  http.set_keep_alive_max_count(1);
  http.set_read_timeout(5);
  http.set_write_timeout(5);
  http.set_payload_max_length(1024);
  // Without SO_REUSEPORT, which the default sets: an address that is taken must be seen to be.
  http.set_socket_options([](socket_t fd) {
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  http.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(take(), "text/plain; version=0.0.4; charset=utf-8");
  });
  port_ = port == 0 ? http.bind_to_any_port(host) : (http.bind_to_port(host, port) ? port : -1);
  if (port_ <= 0) {
    port_ = 0;
    return Error{"cannot listen on '" + address + "': another process may have it"};
  }
  thread_ = std::thread([this] { server_->http.listen_after_bind(); });
  // stop() before listen_after_bind() has begun would be overlooked.
  while (!http.is_running()) std::this_thread::yield();
  return Ok{};
}

std::string MetricsHttp::take() {
  std::unique_lock hold(lock_);
  uint64_t seen = version_;
  eventfd_write(wanted_.get(), 1);
  fresh_.wait_for(hold, std::chrono::seconds(1), [&] { return version_ != seen; });
  return text_;
}

void MetricsHttp::provide(std::string text) {
  eventfd_t count = 0;
  if (eventfd_read(wanted_.get(), &count) != 0) return;
  {
    std::lock_guard hold(lock_);
    text_ = std::move(text);
    version_++;
  }
  fresh_.notify_all();
}

}  // namespace wbshim
