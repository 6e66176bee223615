#include "tools/uploader/socket_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/protocol.h"
#include "core/util/display.h"
#include "core/util/log.h"

namespace wbshim {
namespace {

constexpr size_t kMostConnections = 512;
constexpr size_t kMostAtOnce = 64;  // accepted in one round
constexpr size_t kMostBacklog = size_t{32} << 20;

bool is_owner(int fd) {
  struct ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

}  // namespace

SocketServer::~SocketServer() {
  if (listener_) unlink(path_.c_str());
}

Status SocketServer::listen(const std::string& directory, const std::string& name) {
  path_ = directory + "/" + name;
  unlink(path_.c_str());
  // A socket's address holds 107 bytes; through the directory's descriptor any path fits.
  Fd dir(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::string place = "/proc/self/fd/" + std::to_string(dir.get()) + "/" + name;
  if (place.size() >= sizeof address.sun_path)
    return Error{"the socket's name is too long: " + printable(name)};
  memcpy(address.sun_path, place.c_str(), place.size() + 1);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  mode_t before = umask(0177);
  bool bound =
      dir && fd &&
      bind(fd.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(fd.get(), 128) == 0;
  int error = errno;
  umask(before);
  if (!bound) return Error{"cannot make the socket '" + printable(path_) + "': " + strerror(error)};
  listener_ = std::move(fd);
  return Ok{};
}

void SocketServer::add_extras(std::vector<Store::Extra>& extras) const {
  if (listener_ && (connections_.size() < kMostConnections || oldest_idle() != 0))
    extras.push_back({listener_.get(), POLLIN, 0});
  for (const auto& [id, connection] : connections_) {
    // Whoever has sent all he may is not read from until he has been answered.
    bool reads =
        !connection.closing && !connection.ended && connection.in.size() < protocol::kMaxRequest;
    int events = (reads ? POLLIN : 0) | (connection.out.empty() ? 0 : POLLOUT);
    extras.push_back({connection.fd.get(), static_cast<short>(events), 0});
  }
}

void SocketServer::handle(const std::vector<Store::Extra>& extras) {
  std::map<int, short> ready;
  for (const Store::Extra& extra : extras) {
    if (extra.revents != 0) ready[extra.fd] = extra.revents;
  }
  std::vector<ConnectionId> ids;
  for (const auto& [id, connection] : connections_) {
    if (ready.count(connection.fd.get()) > 0 || may_deliver(connection)) ids.push_back(id);
  }
  for (ConnectionId id : ids) {
    auto found = connections_.find(id);
    if (found != connections_.end()) serve(id, ready[found->second.fd.get()]);
  }
  if (listener_ && ready.count(listener_.get()) > 0) accept_all();
}

// Whoever has waited longest without asking anything makes room for others; 0: all are being
// answered.
ConnectionId SocketServer::oldest_idle() const {
  const auto found = std::find_if(connections_.begin(), connections_.end(), [](const auto& entry) {
    const Connection& connection = entry.second;
    return !connection.busy && connection.out.empty() && !may_deliver(connection);
  });
  return found == connections_.end() ? 0 : found->first;
}

void SocketServer::accept_all() {
  // A bound on one round: the others are served in between.
  for (size_t i = 0; i < kMostAtOnce; i++) {
    const bool full = connections_.size() >= kMostConnections;
    const ConnectionId idle = full ? oldest_idle() : 0;
    if (full && idle == 0) return;
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    if (!is_owner(fd.get())) {
      log_warn("another user's connection to the socket was closed");
      continue;
    }
    if (full) drop(idle);
    connections_[next_id_++].fd = std::move(fd);
  }
}

void SocketServer::serve(ConnectionId id, short events) {
  Connection& connection = connections_[id];
  bool alive = true;
  if (events & POLLOUT) alive = send(connection);
  if (alive && (events & (POLLIN | POLLHUP | POLLERR))) {
    alive = receive(connection, (events & (POLLHUP | POLLERR)) != 0);
  }
  if (!alive) return drop(id);
  deliver(id);
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const Connection& after = found->second;
  if (after.ended && !after.busy && after.out.empty()) drop(id);
}

// False: the other side has gone.
bool SocketServer::receive(Connection& connection, bool hung_up) {
  char room[4096];
  while (connection.in.size() < protocol::kMaxRequest) {
    size_t want = std::min(sizeof room, protocol::kMaxRequest - connection.in.size());
    ssize_t n = recv(connection.fd.get(), room, want, 0);
    if (n > 0) {
      connection.in.append(room, static_cast<size_t>(n));
    } else if (n == 0) {
      connection.ended = true;
      return !hung_up;
    } else if (errno != EINTR) {
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
  }
  if (connection.in.find('\0') == std::string::npos) {
    connection.out += "ERR E2BIG the request is too long\n";
    connection.in.clear();
    connection.closing = true;
    return send(connection);
  }
  return true;
}

bool SocketServer::send(Connection& connection) {
  size_t at = 0;
  while (at < connection.out.size()) {
    ssize_t n = ::send(connection.fd.get(), connection.out.data() + at, connection.out.size() - at,
                       MSG_NOSIGNAL);
    if (n >= 0) {
      at += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
      break;
    }
  }
  connection.out.erase(0, at);
  return !(connection.closing && connection.out.empty());
}

// The next whole request of a connection that waits for no answer.
void SocketServer::deliver(ConnectionId id) {
  for (;;) {
    auto found = connections_.find(id);
    if (found == connections_.end() || found->second.busy || found->second.closing) return;
    std::string& in = found->second.in;
    size_t end = in.find('\0');
    if (end == std::string::npos) return;
    std::string request = in.substr(0, end);
    in.erase(0, end + 1);
    found->second.busy = true;
    on_request(id, request);
  }
}

void SocketServer::answer(ConnectionId id, const std::string& lines, bool last) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  connection.out += lines;
  if (last) connection.busy = false;
  if (connection.out.size() > kMostBacklog || !send(connection)) drop(id);
}

bool SocketServer::may_deliver(const Connection& connection) {
  return !connection.busy && !connection.closing && connection.in.find('\0') != std::string::npos;
}

bool SocketServer::has_next() const {
  return std::any_of(connections_.begin(), connections_.end(),
                     [](const auto& entry) { return may_deliver(entry.second); });
}

size_t SocketServer::backlog(ConnectionId id) const {
  auto found = connections_.find(id);
  return found == connections_.end() ? 0 : found->second.out.size();
}

void SocketServer::drop(ConnectionId id) {
  if (connections_.erase(id) > 0 && on_closed) on_closed(id);
}

}  // namespace wbshim
