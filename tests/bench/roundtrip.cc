#include "tests/bench/roundtrip.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "scripts.h"
#include "tests/bench/clock.h"

namespace wbshim::bench {
namespace {

std::string request(const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return text;
}

int connect_to(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    die("connect");
  return fd;
}

std::string publish(size_t i) {
  const std::string volume = "wbshim:{bench-roundtrip}:";
  const std::string name = "f" + std::to_string(i);
  const std::string number = std::to_string(1000000 + i);
  return request({"EVALSHA",
                  scripts::publish.sha,
                  "5",
                  volume + "due:0123456789abcdef",
                  volume + "del",
                  volume + "object",
                  volume + "meta",
                  volume + "dir:bench",
                  "0123456789abcdef",
                  "600000",
                  "3600000",
                  "0",
                  "01234567",
                  "c",
                  "bench/" + name,
                  name,
                  "f",
                  number + ".4096.1700000000123456789.1700000000123456789",
                  ",\"size\":4096,\"mtime_ns\":1700000000123456789,\"boot\":\"01234567\"",
                  "0",
                  "0"});
}

}  // namespace

RoundTrips::RoundTrips(const char* socket, size_t count) : fd_(connect_to(socket)) {
  exchange(request({"SCRIPT", "LOAD", scripts::publish.text}));
  for (size_t i = 0; i < count; i++) requests_.push_back(publish(i));
}

RoundTrips::~RoundTrips() {
  close(fd_);
}

uint64_t RoundTrips::next() {
  const std::string& text = requests_.at(done_++);
  const uint64_t start = now_ns();
  exchange(text);
  return now_ns() - start;
}

void RoundTrips::exchange(const std::string& request) const {
  char reply[4096];  // one packet holds any of these replies
  if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    die("send");
  const ssize_t n = recv(fd_, reply, sizeof reply, 0);
  if (n <= 0 || reply[0] == '-') {
    fprintf(stderr, "Redis: %.*s\n", static_cast<int>(n > 0 ? n : 0), reply);
    die("recv");
  }
}

}  // namespace wbshim::bench
