#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "core/util/fd.h"
#include "tools/uploader/metrics_http.h"

using namespace wbshim;

namespace {

Fd connect_to(int port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<struct sockaddr*>(&to), sizeof to) != 0) fd.reset();
  return fd;
}

std::string ask(int port, const std::string& path) {
  Fd fd = connect_to(port);
  if (!fd) return {};
  std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  if (write(fd.get(), request.data(), request.size()) < 0) return {};
  std::string answer;
  char room[4096];
  ssize_t n = 0;
  while ((n = read(fd.get(), room, sizeof room)) > 0) answer.append(room, static_cast<size_t>(n));
  return answer;
}

}  // namespace

TEST_CASE("the text form: help, type, labels, a histogram's cumulative buckets") {
  Metric plain{"wbshim_a_total", "how many", Metric::Kind::Counter, {}};
  plain.samples.push_back({{{"class", "a\"b\n"}}, 3, {}, 0});
  Metric lag{"wbshim_lag_seconds", "how long", Metric::Kind::Histogram, {}};
  lag.samples.push_back({{}, 7.5, {{1, 2}, {5, 3}}, 4});
  Metric none{"wbshim_none_total", "nothing yet", Metric::Kind::Counter, {}};
  std::string text = render_metrics({plain, lag, none});
  for (const char* line :
       {"# TYPE wbshim_a_total counter\n", "wbshim_a_total{class=\"a\\\"b\\n\"} 3\n",
        "wbshim_lag_seconds_count 4\n", "wbshim_lag_seconds_sum 7.5\n",
        "wbshim_lag_seconds_bucket{le=\"1\"} 2\n", "wbshim_lag_seconds_bucket{le=\"+Inf\"} 4\n",
        "# TYPE wbshim_none_total counter\n"}) {
    CAPTURE(text);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE(
    "the server: what the loop provides is handed out; other paths are not there; a taken address "
    "is one") {
  MetricsHttp http;
  REQUIRE(http.start("127.0.0.1:0"));
  std::atomic<bool> stop = false;
  std::thread loop([&] {
    while (!stop) {
      struct pollfd wanted = {http.wanted_fd(), POLLIN, 0};
      if (poll(&wanted, 1, 20) > 0) http.provide("wbshim_x 1\n");
    }
  });
  std::string answer = ask(http.port(), "/metrics");
  CHECK(answer.find("200 OK") != std::string::npos);
  CHECK(answer.find("\r\n\r\nwbshim_x 1\n") != std::string::npos);
  CHECK(ask(http.port(), "/other").find(" 404 ") != std::string::npos);
  MetricsHttp second;
  Status taken = second.start("127.0.0.1:" + std::to_string(http.port()));
  REQUIRE_FALSE(taken);
  CHECK(taken.message().find("127.0.0.1:") != std::string::npos);
  for (const char* bad : {"", "x", "127.0.0.1", "127.0.0.1:99999", ":80"})
    CHECK_FALSE(MetricsHttp().start(bad));
  stop = true;
  loop.join();
}

TEST_CASE("a loop that does not answer: the last text, after a bounded wait") {
  MetricsHttp http;
  REQUIRE(http.start("127.0.0.1:0"));
  CHECK(ask(http.port(), "/metrics").find("200 OK") != std::string::npos);
}
