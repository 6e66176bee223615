#include "core/base/redis_link.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "tests/unit/support/scratch.h"

using namespace wbshim;

namespace {

// A connection whose other end says what the test wants.
struct Fixture {
  Fixture() {
    struct sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    const std::string path = scratch.at("s");
    memcpy(at.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(bind(listener, reinterpret_cast<const struct sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(listen(listener, 1) == 0);
    RedisAddress address;
    const std::string url = "unix://" + path;
    REQUIRE(address.parse(Bytes(url.c_str())) == nullptr);
    REQUIRE(link.connect(address, 5000));
    peer = accept(listener, nullptr, nullptr);
  }
  ~Fixture() {
    link.close();
    close(peer);
    close(listener);
  }
  RedisReply answer(const std::string& text) {
    REQUIRE(send(peer, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
    return link.receive();
  }

  test::Scratch scratch;
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int peer = -1;
  RedisLink link;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "redis link: arrays in arrays") {
  const RedisReply reply = answer("*2\r\n*1\r\n:7\r\n$1\r\nx\r\n");
  REQUIRE(reply.size() == 2);
  CHECK(reply[0][0].integer() == 7);
  CHECK(reply[1].text() == Bytes("x"));
}

TEST_CASE_FIXTURE(Fixture,
                  "redis link: an array larger than anything we ask for ends the connection") {
  CHECK_FALSE(answer("*2147483647\r\n"));
  CHECK_FALSE(link.connected());
  CHECK(std::string(link.error()).size() > 0);
}

TEST_CASE_FIXTURE(Fixture, "redis link: what is no protocol ends the connection") {
  CHECK_FALSE(answer("HTTP/1.1 400 Bad Request\r\n\r\n"));
  CHECK_FALSE(link.connected());
}
