#include "tools/uploader/socket_server.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/protocol.h"
#include "core/util/clock.h"
#include "tests/unit/support/scratch.h"

using namespace wbshim;

namespace {

struct Fixture {
  test::Scratch scratch;
  SocketServer server;
  std::vector<std::pair<ConnectionId, std::string>> requests;
  std::vector<ConnectionId> closed;
  SystemClock clock;

  Fixture() {
    server.on_request = [this](ConnectionId id, const std::string& text) {
      requests.emplace_back(id, text);
    };
    server.on_closed = [this](ConnectionId id) { closed.push_back(id); };
    REQUIRE(server.listen(scratch.path(), "sock"));
  }
  Fd client() const {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct sockaddr_un to = {};
    to.sun_family = AF_UNIX;
    std::string path = scratch.at("sock");
    REQUIRE(path.size() < sizeof to.sun_path);
    memcpy(to.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(connect(fd.get(), reinterpret_cast<struct sockaddr*>(&to), sizeof to) == 0);
    return fd;
  }
  // Lets the server work until `done`, at most two seconds.
  template <typename Done>
  bool work(Done done) {
    for (uint64_t end = clock.now_ms() + 2000; !done() && clock.now_ms() < end;) {
      std::vector<Store::Extra> extras;
      server.add_extras(extras);
      std::vector<struct pollfd> fds;
      fds.reserve(extras.size());
      for (const Store::Extra& extra : extras) fds.push_back({extra.fd, extra.events, 0});
      poll(fds.data(), fds.size(), 10);
      for (size_t i = 0; i < fds.size(); i++) extras[i].revents = fds[i].revents;
      server.handle(extras);
    }
    return done();
  }
  void send(const Fd& fd, const std::string& text) {
    REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  std::string receive(const Fd& fd, size_t size) {
    std::string text;
    work([&] {
      char room[4096];
      ssize_t n = recv(fd.get(), room, sizeof room, 0);
      if (n > 0) text.append(room, static_cast<size_t>(n));
      return text.size() >= size;
    });
    return text;
  }
};

std::string with_nul(const std::string& text) {
  return text + std::string(1, '\0');
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the socket is its owner's alone") {
  struct stat st = {};
  REQUIRE(stat(scratch.at("sock").c_str(), &st) == 0);
  CHECK(S_ISSOCK(st.st_mode));
  CHECK((st.st_mode & 077) == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "requests of one connection come one after another, each after the last answer") {
  Fd fd = client();
  send(fd, with_nul("PING") + with_nul("UPLOAD a b\nc") + "PI");
  REQUIRE(work([&] { return !requests.empty(); }));
  CHECK(requests.size() == 1);
  CHECK(requests[0].second == "PING");
  server.answer(requests[0].first, "OK 1\n", true);
  send(fd, with_nul("NG"));
  REQUIRE(work([&] { return requests.size() == 2; }));
  CHECK(requests[1].second == "UPLOAD a b\nc");
  server.answer(requests[1].first, "P 1\n", false);
  server.answer(requests[1].first, "OK\n", true);
  REQUIRE(work([&] { return requests.size() == 3; }));
  CHECK(requests[2].second == "PING");
  CHECK(receive(fd, 12) == "OK 1\nP 1\nOK\n");
}

TEST_CASE_FIXTURE(Fixture, "a request that does not end is refused, and the others go on") {
  Fd bad = client(), good = client();
  send(bad, std::string(protocol::kMaxRequest + 500, 'x'));
  CHECK(receive(bad, 20).find("ERR E2BIG") == 0);
  CHECK(requests.empty());
  send(good, with_nul("PING"));
  CHECK(work([&] { return requests.size() == 1; }));
}

TEST_CASE_FIXTURE(Fixture, "who leaves while waiting is reported; answers to him go nowhere") {
  Fd fd = client();
  send(fd, with_nul("FLUSH 0"));
  REQUIRE(work([&] { return !requests.empty(); }));
  fd.reset();
  REQUIRE(work([&] { return closed.size() == 1; }));
  CHECK(closed[0] == requests[0].first);
  server.answer(closed[0], "OK\n", true);
  CHECK(server.connections() == 0);
}

TEST_CASE_FIXTURE(Fixture, "who does not take his answer blocks nobody and is let go in the end") {
  Fd lazy = client();
  send(lazy, with_nul("STATUS"));
  REQUIRE(work([&] { return !requests.empty(); }));
  std::string megabyte(size_t{1} << 20, 'x');
  for (int i = 0; i < 100 && closed.empty(); i++) server.answer(requests[0].first, megabyte, false);
  CHECK(closed.size() == 1);
  Fd good = client();
  send(good, with_nul("PING"));
  CHECK(work([&] { return requests.size() == 2; }));
}

TEST_CASE_FIXTURE(Fixture, "many at once, more than are served at a time") {
  std::vector<Fd> clients;
  for (int i = 0; i < 100; i++) {
    clients.push_back(client());
    send(clients.back(), with_nul("PING"));
    if (i % 50 == 49) work([&] { return requests.size() == clients.size(); });
  }
  REQUIRE(work([&] { return requests.size() == 100; }));
  for (const auto& [id, text] : requests) server.answer(id, "OK\n", true);
  for (const Fd& fd : clients) CHECK(receive(fd, 3) == "OK\n");
}

TEST_CASE_FIXTURE(Fixture, "a full house: who asks nothing makes room, who is being served stays") {
  Fd served = client();
  send(served, with_nul("FLUSH"));
  REQUIRE(work([&] { return requests.size() == 1; }));
  std::vector<Fd> silent;
  for (int i = 0; i < 600; i++) {
    silent.push_back(client());
    if (i % 60 == 0) work([&] { return closed.size() + server.connections() > size_t(i); });
  }
  REQUIRE(work([&] { return closed.size() + server.connections() == 601; }));
  CHECK(server.connections() == 512);
  CHECK(std::find(closed.begin(), closed.end(), requests[0].first) == closed.end());
  Fd late = client();
  send(late, with_nul("PING"));
  CHECK(work([&] { return requests.size() == 2; }));
  server.answer(requests[0].first, "OK\n", true);
  CHECK(receive(served, 3) == "OK\n");
}
