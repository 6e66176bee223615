// The socket below a RedisLink: raw calls, no time of its own. A negative result is -errno.
#pragma once

#include "core/base/redis_link.h"

namespace wbshim {

// A non-blocking socket that is connected, or on its way (TCP only).
int redis_socket(const RedisAddress& address);
// Waits for the connection, at most timeout_ms. 0: there; -ETIMEDOUT: not yet.
int redis_socket_connected(int fd, int timeout_ms);
int redis_socket_block(int fd);

// An errno of these, and of sending and receiving, as people read it.
const char* redis_trouble(int error);

}  // namespace wbshim
