// What Redis, or whatever listens there, may answer: any bytes over a real socket, read by the
// connection and by what the tools make of replies.
#include "core/volume/redis.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/util/bytes.h"
#include "core/util/fd.h"
#include "core/util/log.h"
#include "core/volume/identity.h"
#include "core/volume/queue.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_config.h"
#include "tools/uploader/dead_letters.h"

using namespace wbshim;
using fuzz::demand;

namespace {

// The other end: answers whoever connects with the bytes at hand, whatever is asked. Its socket is in
// the working directory, which the caller of the program throws away.
class Server {
 public:
  Server() : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    char directory[512];
    demand(getcwd(directory, sizeof directory) != nullptr, "a working directory");
    const std::string path =
        std::string(directory) + "/redis." + std::to_string(getpid()) + ".sock";
    struct sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    demand(path.size() < sizeof at.sun_path, "a short working directory");
    memcpy(at.sun_path, path.c_str(), path.size() + 1);
    unlink(path.c_str());
    demand(bind(listener_.get(), reinterpret_cast<const struct sockaddr*>(&at), sizeof at) == 0 &&
               listen(listener_.get(), 8) == 0,
           "a socket to listen on");
    demand(address.parse(bytes("unix://" + path)) == nullptr, "its address");
    (void)set_log(LogLevel::Error, "/dev/null");
    std::thread([this] {
      for (;;) serve();
    }).detach();  // for as long as the process lives
  }

  // For the next connection. It stays open until close().
  void answer(std::string text) {
    const std::lock_guard<std::mutex> hold(mutex_);
    text_ = std::move(text);
  }
  void close() {
    std::unique_lock<std::mutex> hold(mutex_);
    served_.wait(hold, [this] { return static_cast<bool>(peer_); });
    peer_.reset();
  }

  RedisAddress address;

 private:
  void serve() {
    Fd peer(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    demand(static_cast<bool>(peer), "a connection");
    const std::lock_guard<std::mutex> hold(mutex_);
    demand(send(peer.get(), text_.data(), text_.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text_.size()),
           "room for the answer");
    shutdown(peer.get(), SHUT_WR);
    peer_ = std::move(peer);
    served_.notify_one();
  }

  const Fd listener_;
  std::mutex mutex_;
  std::condition_variable served_;
  std::string text_;
  Fd peer_;
};

// The first and the last connection of the process are alike: only what is read differs.
void talk(Redis& redis, uint8_t choice) {
  const SystemClock clock;
  Volume volume;
  volume.name = "v";
  volume.client = "0123456789abcdef";
  volume.instance = "fedcba9876543210";
  Queue queue(redis, volume, clock);
  bool away = false;
  switch (choice % 10) {
    case 0:
      (void)queue.first(List::Due, 10);
      break;
    case 1:
      for (const Claim& claim : queue.claim({"a", "b/c"}))
        demand(!claim.record || claim.record->generation > 0, "a claim's record is one");
      break;
    case 2:
      (void)queue.finish(
          {{"a", "a", 7, Ending::Ok, "etag", 0}, {"b", "b/", 8, Ending::Fail, "", 9}});
      break;
    case 3:
      (void)queue.claim_delete({"a", "b/"});
      break;
    case 4:
      (void)queue.settle("a", "etag");
      break;
    case 5:
      demand(queue.records({"a", "b/c", "d"}, &away).size() == 3, "an answer for each question");
      break;
    case 6:
      (void)queue.due_times(List::Del, {"a", "b/"});
      (void)queue.below(List::Due, "a");
      break;
    case 7: {
      DeadLetters dead(redis, volume, clock);
      dead.load();
      (void)dead.list(10);
      dead.drop_gone();
      break;
    }
    case 8: {
      static const Config config = fuzz::config_of("/nowhere/staging");
      (void)probe_redis(redis, config);
      break;
    }
    default:
      (void)redis_run_id(redis);
      (void)redis.command({"LRANGE", "a", "0", "9"});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Server& server = *new Server;
  static const SystemClock clock;
  fuzz::Input input(data, size);
  const uint8_t choice = input.byte();
  // The greeting is answered well, but for the inputs that answer it themselves.
  const bool greets = choice < 128;
  server.answer((greets ? "+PONG\r\n" : "") + input.rest());
  Redis redis(server.address, 1000, clock);
  const bool connected = redis.connect();
  demand(connected || !greets, "a connection");
  if (connected) talk(redis, choice);
  server.close();
  return 0;
}
