// The uploader's socket: any bytes, in any pieces. The server frames them, the verbs are answered
// in order, one final line each, and the connection's end leaves nothing behind. The other way
// round, shim-ctl reads whatever an uploader may say.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/protocol.h"
#include "core/util/fd.h"
#include "core/util/log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_config.h"
#include "tests/integration/fake_store.h"
#include "tools/ctl/flush_answer.h"
#include "tools/uploader/quarantine.h"
#include "tools/uploader/recovery.h"
#include "tools/uploader/replay.h"
#include "tools/uploader/requests.h"
#include "tools/uploader/scan.h"
#include "tools/uploader/tree_source.h"

using namespace wbshim;
using fuzz::demand;

namespace {

std::string working_directory() {
  char room[512];
  demand(getcwd(room, sizeof room) != nullptr, "a working directory");
  return room;
}

Tree open_tree(const std::string& staging) {
  for (const char* part : {"", "/tree", "/journal", "/run"})
    (void)mkdir((staging + part).c_str(), 0700);
  return std::move(Tree::open(staging, "/proc/wb").value());
}

RedisAddress nowhere() {
  RedisAddress address;
  demand(address.parse("unix:///proc/nowhere.sock") == nullptr, "an address");
  return address;
}

// The daemon's parts with nobody at the other end of Redis.
struct Service {
  SystemClock clock;
  const std::string staging = working_directory() + "/socket." + std::to_string(getpid());
  Tree tree = open_tree(staging);
  Config config = fuzz::config_of(staging);
  RedisAddress address = nowhere();
  Redis redis{address, 100, clock};
  Volume volume;
  Queue queue{redis, volume, clock};
  Publisher publisher{redis, volume, tree, nullptr};
  test::FakeStore store;
  LeaseTest writers;
  Random random = [] { return 0.0; };
  StoreHealth health{clock, random};
  DeadLetters dead{redis, volume, clock};
  Tally tally;
  Quarantine quarantine{staging, clock.wall_ms()};
  Context context{config, clock,     random, volume,  StagingMode{}, tree, nullptr, redis,
                  queue,  publisher, store,  writers, health,        dead, tally,   quarantine};
  Scan scan{context};
  Replay replay{context, scan};
  Uploads uploads{context};
  Deletes deletes{context, uploads};
  const Recovery recovery{nullptr, 1, clock.wall_ms()};
  const TreeSource tree_source{tree, clock, "inotify"};
  SocketServer server;
  Requests requests{context, {uploads, deletes, replay, scan, recovery, tree_source}, server};
  size_t asked = 0;

  Service() {
    (void)set_log(LogLevel::Error, "/dev/null");
    server.on_request = [this](ConnectionId id, const std::string& request) {
      asked++;
      demand(request.size() < protocol::kMaxRequest, "a request is bounded");
      demand(request.find('\0') == std::string::npos, "a request is one");
      requests.handle(id, request);
    };
    server.on_closed = [this](ConnectionId id) { requests.closed(id); };
    requests.wake = [] {};
    requests.write_stats = [] {};
    requests.status = [] { return std::string("{}"); };
    requests.stop = [] {};
    requests.retry = [] {};
    requests.stalled = [] {};
    requests.ask_room = requests.ask_space = [](ConnectionId, const std::string&) { return false; };
    demand(static_cast<bool>(server.listen(staging + "/run", "s")), "a socket");
  }

  void turn() {
    std::vector<Store::Extra> extras;
    server.add_extras(extras);
    // The kernel tells of hang-ups, too: without them, whoever is being answered would stay for ever.
    std::vector<pollfd> waits;
    waits.reserve(extras.size());
    for (const Store::Extra& extra : extras) waits.push_back({extra.fd, extra.events, 0});
    (void)poll(waits.data(), waits.size(), 0);
    for (size_t i = 0; i < extras.size(); i++) extras[i].revents = waits[i].revents;
    server.handle(extras);
    requests.step();
  }

  Fd connect() const {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    const std::string path = staging + "/run/s";
    demand(path.size() < sizeof at.sun_path, "a short working directory");
    memcpy(at.sun_path, path.c_str(), path.size() + 1);
    demand(::connect(fd.get(), reinterpret_cast<const struct sockaddr*>(&at), sizeof at) == 0,
           "a connection");
    return fd;
  }
};

std::string answers_of(int fd) {
  std::string all;
  char room[4096];
  for (ssize_t n; (n = recv(fd, room, sizeof room, 0)) > 0;)
    all.append(room, static_cast<size_t>(n));
  return all;
}

void serve(fuzz::Input& input) {
  static Service service;
  service.asked = 0;
  const Fd client = service.connect();
  while (!input.empty()) {
    const size_t piece = 1 + input.byte() % 64 * size_t{16};
    std::string text;
    while (text.size() < piece && !input.empty()) text += static_cast<char>(input.byte());
    if (send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) break;
    service.turn();
  }
  shutdown(client.get(), SHUT_WR);
  for (int i = 0; i < 4 || service.server.has_next(); i++) service.turn();
  const std::string answers = answers_of(client.get());
  size_t last = 0;
  for (size_t at = 0; at < answers.size();) {
    const size_t end = answers.find('\n', at);
    demand(end != std::string::npos, "answers are lines");
    const std::string line = answers.substr(at, end - at);
    last += line == "OK" || line.compare(0, 3, "OK ") == 0 || line.compare(0, 4, "ERR ") == 0;
    at = end + 1;
  }
  demand(last <= service.asked + 1, "no more answers than requests, but for the one too long");
}

void ask(const std::string& text) {
  ctl::FlushAnswer answer;
  for (size_t at = 0; at < text.size() && !answer.complete();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    answer.take(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  demand(!answer.ok() || answer.complete(), "what is well is complete");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  if (input.byte() % 4 == 0) {
    ask(input.rest());
  } else {
    serve(input);
  }
  return 0;
}
