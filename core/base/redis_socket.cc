#include "core/base/redis_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "core/base/sys.h"
#include "core/base/text.h"

namespace wbshim {
namespace {

// A Unix socket address holds 107 bytes. A longer path is reached through its directory's
// descriptor in /proc.
bool unix_address(const char* path, struct sockaddr_un* to, int* directory) {
  *directory = -1;
  to->sun_family = AF_UNIX;
  Text room(to->sun_path);
  if (room.add(path).ok()) return true;
  const char* slash = strrchr(path, '/');
  if (!slash) return false;
  char parent[1024];
  Text name(parent);
  if (!name.add(Bytes(path, static_cast<size_t>(slash - path))).ok()) return false;
  *directory = sys::openat(AT_FDCWD, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*directory < 0) return false;
  room.clear();
  return room.add("/proc/self/fd/").number(*directory).add(slash).ok();
}

bool tcp_address(const RedisAddress& address, SocketAddress* to) {
  const char* host = address.path_or_host;
  struct sockaddr_in v4 {};
  struct sockaddr_in6 v6 {};
  if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    memcpy(to->bytes, &v4, sizeof v4);
    to->size = sizeof v4;
    return true;
  }
  if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    memcpy(to->bytes, &v6, sizeof v6);
    to->size = sizeof v6;
    return true;
  }
  return redis_resolver && redis_resolver(host, address.port, to);
}

int start_connecting(const RedisAddress& address) {
  int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  if (address.kind == RedisAddress::Kind::Unix) {
    struct sockaddr_un to {};
    int directory;
    if (!unix_address(address.path_or_host, &to, &directory)) return -ENOENT;
    int fd = sys::socket(AF_UNIX, type);
    // EAGAIN: its queue is full, it has long accepted nothing.
    int result = fd < 0 ? fd : sys::connect(fd, &to, sizeof to);
    if (directory >= 0) sys::close(directory);
    if (result < 0 && fd >= 0) sys::close(fd);
    return result < 0 ? result : fd;
  }
  SocketAddress to;
  if (!tcp_address(address, &to)) return -EHOSTUNREACH;
  int fd = sys::socket(reinterpret_cast<struct sockaddr*>(to.bytes)->sa_family, type);
  if (fd < 0) return fd;
  int result = sys::connect(fd, to.bytes, to.size);
  int on = 1;
  sys::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (result < 0 && result != -EINPROGRESS) {
    sys::close(fd);
    return result;
  }
  return fd;
}

}  // namespace

int redis_socket(const RedisAddress& address) {
  return start_connecting(address);
}

int redis_socket_connected(int fd, int timeout_ms) {
  struct pollfd waiting = {fd, POLLOUT, 0};
  struct timespec limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  long ready = sys::call(SYS_ppoll, sys::arg(&waiting), 1, sys::arg(&limit), 0, 8);
  if (ready <= 0) return ready == 0 ? -ETIMEDOUT : static_cast<int>(ready);
  int failure = 0;
  unsigned length = sizeof failure;
  sys::call(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, sys::arg(&failure), sys::arg(&length));
  return -failure;
}

int redis_socket_block(int fd) {
  int flags = sys::fcntl(fd, F_GETFL);
  return flags < 0 ? flags : sys::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

const char* redis_trouble(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case ENOENT:
      return "no such socket";
    case ETIMEDOUT:
      return "timed out";
    case EAGAIN:
      return "no answer in time";
    case EACCES:
      return "permission denied";
    case EHOSTUNREACH:
      return "unknown host";
    case EMFILE:
      return "too many open files";
    case EPIPE:
    case ECONNRESET:
      return "connection lost";
    default:
      return "not reachable";
  }
}

}  // namespace wbshim
