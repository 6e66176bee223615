// Addresses of AF_UNIX sockets under the prefix, in and out. Every other address costs a comparison.
#pragma once

#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "shim/pointers.h"
#include "shim/scratch.h"
#include "shim/settings.h"

namespace wbshim {

// An address that a program passes, for the kernel. A name of the tree that is longer than an
// address holds is reached by a descriptor, held until the object goes.
class MappedAddress {
 public:
  // binds: a name is to be made there, which bind() of this object does.
  MappedAddress(const struct sockaddr* address, socklen_t size, bool binds = false);
  ~MappedAddress();
  MappedAddress(const MappedAddress&) = delete;
  MappedAddress& operator=(const MappedAddress&) = delete;

  // False: it cannot be said; errno is set and the call must fail.
  bool ok() const { return ok_; }
  const struct sockaddr* address() const { return address_; }
  socklen_t size() const { return size_; }
  bool is_stats() const { return stats_; }

  // The kernel keeps the address that it was bound to, for everybody to ask for. A long one is bound
  // under a name that leads back to the program's, `given`, by a link in the staging directory; then
  // the socket gets its own name.
  int bind(int fd, const struct sockaddr* given, socklen_t size);

 private:
  bool by_descriptor(const char* path);
  bool by_directory(const char* path);

  const struct sockaddr* address_;
  socklen_t size_;
  bool ok_ = true;
  bool stats_ = false;
  int held_ = -1;
  const char* last_ = nullptr;  // the name in the directory held_
  Scratch path_;
  struct sockaddr_un to_ {};
};

// Hands an address found by the kernel to a program, a path of the tree under its virtual name, cut
// off at the program's room as the kernel does.
void give_address(const struct sockaddr_storage& found, socklen_t found_size, struct sockaddr* to,
                  socklen_t* size);

// Whether an address can be handed out there. Where not, the kernel says so.
inline bool fits(struct sockaddr* to, socklen_t* size) {
  if (!to || !pointers::writable(size, sizeof *size) || *size > INT_MAX) return false;
  return pointers::writable(
      to, *size < sizeof(struct sockaddr_storage) ? *size : sizeof(struct sockaddr_storage));
}

// Calls that hand out an address: call(room, &size) fills a room of ours, which takes any address
// of the kernel's. `to` may be null.
template <typename Call>
inline auto on_found_address(struct sockaddr* to, socklen_t* size, Call call)
    -> decltype(call(to, size)) {
  if (!settings.on || !fits(to, size)) return call(to, size);
  struct sockaddr_storage found;
  socklen_t n = sizeof found;
  auto result = call(reinterpret_cast<struct sockaddr*>(&found), &n);
  if (result >= 0) give_address(found, n, to, size);
  return result;
}

// Calls that take an address and return a ssize_t or an int, -1 for failure.
template <typename Call>
inline auto on_given_address(const struct sockaddr* address, socklen_t size, Call call)
    -> decltype(call(address, size)) {
  if (!settings.on || !address) return call(address, size);
  MappedAddress m(address, size);
  return m.ok() ? call(m.address(), m.size()) : -1;
}

int bind_socket(int fd, const struct sockaddr* address, socklen_t size);
// sendmsg() and recvmsg(), whose addresses are named in the message.
ssize_t send_message(int fd, const struct msghdr* message, int flags);
ssize_t receive_message(int fd, struct msghdr* message, int flags);

}  // namespace wbshim
