#include "core/store/http.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "core/util/fd.h"

using namespace wbshim;

namespace {

constexpr int kPatience_ms = 10'000;

// Speaks to one connection after another, as the test tells it to.
class Server {
 public:
  Server() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* generic = static_cast<sockaddr*>(static_cast<void*>(&at));
    if (bind(listener_.get(), generic, size) != 0 || listen(listener_.get(), 8) != 0 ||
        getsockname(listener_.get(), generic, &size) != 0) {
      abort();
    }
    url = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  }
  ~Server() {
    if (thread_.joinable()) thread_.join();
  }

  // Takes one connection; for each answer reads one request (head, and body_bytes more) and sends
  // the answer; then closes.
  void serve(std::vector<std::string> answers, size_t body_bytes = 0) {
    thread_ = std::thread([this, answers = std::move(answers), body_bytes] {
      pollfd waiting{listener_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, kPatience_ms) != 1) return;
      const Fd connection(accept(listener_.get(), nullptr, nullptr));
      for (const std::string& answer : answers) {
        requests.push_back(read_request(connection.get(), body_bytes));
        if (send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
      }
    });
  }
  void close_listener() { listener_.reset(); }
  void join() { thread_.join(); }

  std::string url;
  std::vector<std::string> requests;

 private:
  static std::string read_request(int fd, size_t body_bytes) {
    std::string out;
    for (;;) {
      const size_t head = out.find("\r\n\r\n");
      if (head != std::string::npos && out.size() >= head + 4 + body_bytes) return out;
      char buffer[4096];
      const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return out;
      out.append(buffer, static_cast<size_t>(n));
    }
  }

  Fd listener_;
  std::thread thread_;
};

HttpRequest put(const std::string& url, const std::string& body) {
  return {"PUT", url, {{"host", "h"}, {"x-empty", ""}}, std::make_shared<std::string>(body)};
}

struct Client {
  explicit Client(HttpOptions options = {}) {
    (void)signal(SIGPIPE, SIG_IGN);
    options.ignore_proxy = true;
    auto made = make_http(options);
    REQUIRE(made.ok());
    http = std::move(made.value());
  }
  HttpAnswer run(HttpRequest request) {
    std::optional<HttpAnswer> answer;
    http->start(std::move(request), [&](HttpAnswer a) { answer = std::move(a); });
    CHECK_FALSE(answer.has_value());
    std::vector<Store::Extra> none;
    for (int i = 0; i < 10'000 && !answer; i++) http->poll(none, 100);
    REQUIRE(answer.has_value());
    return *answer;
  }
  std::unique_ptr<Http> http;
};

constexpr char kOk[] =
    "HTTP/1.1 200 OK\r\nETag: \"e\" \r\nX-Two:  b\r\nContent-Length: 4\r\n\r\nbody";
constexpr char kNoContent[] = "HTTP/1.1 204 No Content\r\n\r\n";

}  // namespace

TEST_CASE("http: the request goes out as it was told, on one connection") {
  Server server;
  server.serve({kOk, kNoContent, kOk}, 0);
  Client client;
  const HttpAnswer get =
      client.run({"GET", server.url + "/a/../b//./%2B?q=%20", {{"host", "example"}}, nullptr});
  CHECK(get.status == 200);
  CHECK(get.failure_class == "");
  CHECK(get.header("etag") == "\"e\"");
  CHECK(get.header("x-two") == "b");
  CHECK(get.header("missing") == "");
  CHECK(get.body == "body");
  CHECK(client.run({"DELETE", server.url + "/k", {}, nullptr}).status == 204);
  const HttpAnswer head = client.run({"HEAD", server.url + "/k", {}, nullptr});
  CHECK(head.status == 200);
  CHECK(head.body == "");
  server.join();
  REQUIRE(server.requests.size() == 3);
  CHECK(server.requests[0].find("GET /a/../b//./%2B?q=%20 HTTP/1.1\r\n") == 0);
  CHECK(server.requests[0].find("Host: example\r\n") != std::string::npos);
  CHECK(server.requests[0].find("Accept-Encoding") == std::string::npos);
  CHECK(server.requests[1].find("DELETE /k HTTP/1.1\r\n") == 0);
  CHECK(server.requests[2].find("HEAD /k HTTP/1.1\r\n") == 0);
}

TEST_CASE("http: put sends length and body, and asks for leave only when it is big") {
  Server server;
  server.serve({kNoContent}, 5);
  Client client;
  const HttpAnswer answer = client.run(put(server.url + "/k", "12345"));
  CHECK(answer.status == 204);
  CHECK(answer.sent_whole);
  server.join();
  const std::string& request = server.requests[0];
  CHECK(request.find("PUT /k HTTP/1.1\r\n") == 0);
  CHECK(request.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(request.find("Transfer-Encoding") == std::string::npos);
  CHECK(request.find("Expect") == std::string::npos);
  CHECK(request.find("x-empty:") != std::string::npos);
  CHECK(request.substr(request.size() - 5) == "12345");

  Server big;
  big.serve({"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"}, 0);
  const HttpAnswer refused = client.run(put(big.url + "/k", std::string(2 << 20, 'b')));
  CHECK(refused.status == 403);
  CHECK(refused.body == "no");
  CHECK_FALSE(refused.sent_whole);
  big.join();
  CHECK(big.requests[0].find("Expect: 100-continue\r\n") != std::string::npos);
}

TEST_CASE("http: an interim answer is not the answer") {
  Server server;
  server.serve({std::string("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n") + kOk}, 3);
  Client client;
  const HttpAnswer answer = client.run(put(server.url + "/", "abc"));
  CHECK(answer.status == 200);
  CHECK(answer.header("x-interim") == "");
}

TEST_CASE("http: redirects are answers") {
  Server server;
  server.serve({"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}, 0);
  Client client;
  CHECK(client.run({"GET", server.url + "/", {}, nullptr}).status == 307);
}

TEST_CASE("http: no server") {
  Server server;
  server.close_listener();
  Client client;
  const HttpAnswer answer = client.run(put(server.url + "/", "x"));
  CHECK(answer.status == 0);
  CHECK(answer.failure_class == "connect");
  CHECK(answer.failure != "");
  CHECK_FALSE(answer.sent_whole);
}

TEST_CASE("http: no answer") {
  Client client;
  for (const char* start : {"", "HTTP/1.1 200 OK\r\nContent-Le"}) {
    Server server;
    server.serve({start}, 1);
    const HttpAnswer answer = client.run(put(server.url + "/", "x"));
    CHECK(answer.failure_class == "broken");
    CHECK(answer.sent_whole);
  }
  Server cut;
  cut.serve({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}, 0);
  const HttpAnswer answer = client.run({"GET", cut.url + "/", {}, nullptr});
  CHECK(answer.status == 200);
  CHECK(answer.failure_class == "broken");
}

TEST_CASE("http: a stalled server") {
  HttpOptions options;
  options.stall_timeout_s = 1;
  Client client(options);
  Server server;  // the kernel takes the connection, nobody reads
  const HttpAnswer answer = client.run(put(server.url + "/", "x"));
  CHECK(answer.failure_class == "timeout");
  CHECK(answer.sent_whole);
}

TEST_CASE("http: a long error text is cut, a long object is not") {
  const std::string body(200'000, 'e');
  const std::string rest = "\r\nContent-Length: 200000\r\n\r\n" + body;
  Server server;
  server.serve({"HTTP/1.1 500 E" + rest, "HTTP/1.1 200 OK" + rest}, 0);
  Client client;
  CHECK(client.run({"GET", server.url + "/", {}, nullptr}).body.size() == kMaxErrorBody);
  CHECK(client.run({"GET", server.url + "/", {}, nullptr}).body == body);
}

TEST_CASE("http: requests beyond the connections wait, and completions may start more") {
  HttpOptions options;
  options.max_connections = 1;
  Client client(options);
  Server server;
  server.serve({kNoContent, kNoContent, kNoContent}, 0);
  int done = 0;
  const HttpRequest request{"DELETE", server.url + "/", {}, nullptr};
  client.http->start(request, [&](const HttpAnswer&) {
    done++;
    client.http->start(request, [&](const HttpAnswer&) { done++; });
  });
  client.http->start(request, [&](const HttpAnswer&) { done++; });
  CHECK(client.http->in_flight() == 2);
  std::vector<Store::Extra> none;
  for (int i = 0; i < 1000 && done < 3; i++) client.http->poll(none, 100);
  CHECK(done == 3);
  CHECK(client.http->in_flight() == 0);
}

TEST_CASE("http: poll watches the caller's descriptors") {
  Client client;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::vector<Store::Extra> extras = {{ends[0], POLLIN, 99}, {ends[1], POLLOUT, 0}};
  client.http->poll(extras, -1);
  CHECK(extras[0].revents == 0);
  CHECK(extras[1].revents == POLLOUT);
  extras.pop_back();
  REQUIRE(write(ends[1], "x", 1) == 1);
  client.http->poll(extras, -1);
  CHECK(extras[0].revents == POLLIN);
  close(ends[1]);
  char byte;
  REQUIRE(read(ends[0], &byte, 1) == 1);
  client.http->poll(extras, -1);  // the other end has gone: readable, as for poll(2)'s POLLHUP
  CHECK(extras[0].revents == POLLIN);
  close(ends[0]);
}

TEST_CASE("http: destroyed with requests in flight") {
  Server server;
  bool called = false;
  {
    Client client;
    client.http->start(put(server.url + "/", "x"), [&](const HttpAnswer&) { called = true; });
    std::vector<Store::Extra> none;
    client.http->poll(none, 0);
  }
  CHECK_FALSE(called);
}

TEST_CASE(
    "http: under a limit bodies take their time one after another, and what has none passes") {
  constexpr size_t kSize = 50'000;
  HttpOptions options;
  options.bytes_per_second = 200'000;
  Client client(options);
  Server first, second, third;
  first.serve({kNoContent}, kSize);
  second.serve({kNoContent}, kSize);
  third.serve({kNoContent}, 0);
  const std::string body(kSize, 'b');
  const auto begin = std::chrono::steady_clock::now();
  std::string order;
  const auto note = [&order](char name) {
    return [&order, name](const HttpAnswer& answer) {
      CHECK(answer.status == 204);
      CHECK(answer.sent_whole);
      order += name;
    };
  };
  client.http->start(put(first.url + "/k", body), note('1'));
  client.http->start(put(second.url + "/k", body), note('2'));
  client.http->start({"DELETE", third.url + "/k", {}, nullptr}, note('d'));
  std::vector<Store::Extra> none;
  for (int i = 0; i < 10'000 && order.size() < 3; i++) client.http->poll(none, 100);
  CHECK(order == "d12");
  // What is sent first has been saved for nowhere; the very last piece need not be paid.
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took > std::chrono::milliseconds(2 * kSize * 1000 / 200'000 - 100));
  first.join();
  second.join();
  CHECK(first.requests[0].substr(first.requests[0].size() - kSize) == body);
  CHECK(second.requests[0].substr(second.requests[0].size() - kSize) == body);
}

TEST_CASE("http: POST, an empty PUT, and an answer that is too long") {
  Server server;
  server.serve({kOk, kNoContent, kOk}, 0);
  Client client;
  HttpRequest post = put(server.url + "/", "a=b");
  post.method = "POST";
  CHECK(client.run(post).body == "body");
  CHECK(client.run({"PUT", server.url + "/token", {}, nullptr}).status == 204);
  HttpRequest get{"GET", server.url + "/", {}, nullptr};
  get.max_content = 3;
  CHECK(client.run(get).failure_class == "broken");
  server.join();
  CHECK(server.requests.at(0).rfind("POST / HTTP/1.1\r\n", 0) == 0);
  CHECK(server.requests.at(0).find("\r\n\r\na=b") != std::string::npos);
  CHECK(server.requests.at(1).rfind("PUT /token HTTP/1.1\r\n", 0) == 0);
}
