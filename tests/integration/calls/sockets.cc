// Addresses of local sockets. A path that does not fit an address is not tried.
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

struct Address {
  struct sockaddr_un un {};
  socklen_t size = sizeof un;

  bool set(const char* path) {
    un.sun_family = AF_UNIX;
    if (!path || strlen(path) >= sizeof un.sun_path) return false;
    memcpy(un.sun_path, path, strlen(path) + 1);
    size = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    return true;
  }
  struct sockaddr* raw() {
    return reinterpret_cast<struct sockaddr*>(&un);
  }
  std::string said() const {
    if (size <= offsetof(struct sockaddr_un, sun_path)) return "unnamed " + std::to_string(size);
    const std::string name(un.sun_path, strnlen(un.sun_path, sizeof un.sun_path));
    return escaped(name) + " " +
           std::to_string(size - offsetof(struct sockaddr_un, sun_path) - name.size());
  }
};

using Named = int(int, const struct sockaddr*, socklen_t);
using Asks = int(int, struct sockaddr*, socklen_t*);

// With the path as an address and a new socket.
void on(Table* table, const std::string& name, int type,
        const std::function<std::string(int, Address*)>& call) {
  table->path(name, [=](const Argument& a) {
    Address address;
    if (!address.set(a.path)) return std::string("no address");
    const int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    const std::string said = call(fd, &address);
    return said + " " + status(close(fd));
  });
}

std::string asked(const char* name, int fd) {
  Address found;
  const int result = libc<Asks>(name)(fd, found.raw(), &found.size);
  return status(result) + " " + (result < 0 ? "" : found.said());
}

void named(Table* table) {
  for (const char* name : {"bind", "getsockname"})
    on(table, name, SOCK_STREAM, [=](int fd, Address* a) {
      const std::string said = status(libc<Named>("bind")(fd, a->raw(), a->size));
      struct stat st {};
      const int look = lstat(a->un.sun_path, &st);
      return said + " " + asked("getsockname", fd) + " " + status(look) + " " +
             (look ? "" : describe(st));
    });
  for (const char* name : {"connect", "__connect", "getpeername"})
    on(table, name, SOCK_STREAM, [=](int fd, Address* a) {
      const char* call = name[0] == 'g' ? "connect" : name;
      const std::string said = status(libc<Named>(call)(fd, a->raw(), a->size));
      return said + " " + asked("getpeername", fd);
    });
  on(table, "getsockname:short", SOCK_STREAM, [](int fd, Address* a) {
    const std::string said = status(libc<Named>("bind")(fd, a->raw(), a->size));
    Address found;
    found.size = 9;
    const int result = libc<Asks>("getsockname")(fd, found.raw(), &found.size);
    return said + " " + status(result) + " " + std::to_string(found.size) + " " +
           escaped({found.un.sun_path, 7}) + " " + std::to_string(found.un.sun_path[7]);
  });
}

std::string words(const std::vector<std::string>& all) {
  std::string line;
  for (const std::string& each : all) line.append(each).append(" ");
  return line;
}

// A server at a fixed name; the client is bound to the path.
void accepted(Table* table) {
  for (const char* name : {"accept", "accept4"})
    on(table, name, SOCK_STREAM, [=](int fd, Address* a) {
      const std::string bound = status(libc<Named>("bind")(fd, a->raw(), a->size));
      const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
      Address own, client;
      own.set((places.root + "/server").c_str());
      const std::string listens =
          status(libc<Named>("bind")(server, own.raw(), own.size)) + status(listen(server, 1));
      const std::string joined = status(libc<Named>("connect")(fd, own.raw(), own.size));
      const int peer = name[6] ? libc<int(int, struct sockaddr*, socklen_t*, int)>(name)(
                                     server, client.raw(), &client.size, SOCK_CLOEXEC)
                               : libc<Asks>(name)(server, client.raw(), &client.size);
      const std::string came = peer < 0 ? status(peer) : client.said();
      const std::string knows = peer < 0 ? "" : asked("getpeername", peer);
      close(peer);
      close(server);
      return words({bound, listens, joined, came, knows});
    });
}

struct Packet {
  char data[8] = "packet";
  struct iovec part {
    data, 6
  };
  struct msghdr header {};
  explicit Packet(Address* address) {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_name = address->raw();
    header.msg_namelen = address->size;
  }
};

void sent(Table* table) {
  using Send = ssize_t(int, const void*, size_t, int, const struct sockaddr*, socklen_t);
  on(table, "sendto", SOCK_DGRAM, [](int fd, Address* a) {
    return status(libc<Send>("sendto")(fd, "packet", 6, 0, a->raw(), a->size));
  });
  on(table, "sendmsg", SOCK_DGRAM, [](int fd, Address* a) {
    Packet packet(a);
    return status(libc<ssize_t(int, const struct msghdr*, int)>("sendmsg")(fd, &packet.header, 0));
  });
}

std::string received(const char* name, int server) {
  Address from;
  char data[8] = "";
  ssize_t size = 0;
  if (name == std::string("recvmsg")) {
    Packet packet(&from);
    size = libc<ssize_t(int, struct msghdr*, int)>(name)(server, &packet.header, 0);
    from.size = packet.header.msg_namelen;
  } else if (name == std::string("recvfrom")) {
    size = libc<ssize_t(int, void*, size_t, int, struct sockaddr*, socklen_t*)>(name)(
        server, data, 8, 0, from.raw(), &from.size);
  } else {
    size = libc<ssize_t(int, void*, size_t, size_t, int, struct sockaddr*, socklen_t*)>(name)(
        server, data, 8, 8, 0, from.raw(), &from.size);
  }
  return status(size) + " " + (size < 0 ? "" : from.said());
}

void received_from(Table* table) {
  for (const char* name : {"recvfrom", "__recvfrom_chk", "recvmsg"})
    on(table, name, SOCK_DGRAM, [=](int fd, Address* a) {
      const std::string bound = status(libc<Named>("bind")(fd, a->raw(), a->size));
      const int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
      Address own;
      own.set((places.root + "/server").c_str());
      const std::string listens = status(libc<Named>("bind")(server, own.raw(), own.size));
      const std::string joined = status(libc<Named>("connect")(fd, own.raw(), own.size)) +
                                 status(send(fd, "packet", 6, 0));
      const std::string came = received(name, server);
      close(server);
      return words({bound, listens, joined, came});
    });
}

void by_number(Table* table) {
  on(table, "syscall:bind", SOCK_STREAM, [](int fd, Address* a) {
    const std::string said = status(syscall(SYS_bind, fd, a->raw(), a->size));
    return said + " " + asked("getsockname", fd);
  });
  on(table, "syscall:connect", SOCK_STREAM, [](int fd, Address* a) {
    const std::string said = status(syscall(SYS_connect, fd, a->raw(), a->size));
    return said + " " + asked("getpeername", fd);
  });
}

}  // namespace

void add_sockets(Table* table) {
  named(table);
  accepted(table);
  sent(table);
  received_from(table);
  by_number(table);
}

}  // namespace calls
