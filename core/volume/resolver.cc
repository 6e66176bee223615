#include "core/volume/resolver.h"

#include <netdb.h>
#include <string.h>

#include <string>

#include "core/base/redis_link.h"

namespace wbshim {
namespace {

bool resolve(const char* host, uint16_t port, SocketAddress* to) {
  struct addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  struct addrinfo* found = nullptr;
  if (getaddrinfo(host, std::to_string(port).c_str(), &hints, &found) != 0) return false;
  bool fits = found && found->ai_addrlen <= sizeof to->bytes;
  if (fits) {
    memcpy(to->bytes, found->ai_addr, found->ai_addrlen);
    to->size = found->ai_addrlen;
  }
  freeaddrinfo(found);
  return fits;
}

}  // namespace

void install_redis_resolver() {
  redis_resolver = resolve;
}

}  // namespace wbshim
