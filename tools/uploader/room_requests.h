// Who waits for room: ROOM and SPACE of core/base/protocol.h. Every wait has an end.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tools/uploader/back_pressure.h"
#include "tools/uploader/socket_server.h"

namespace wbshim {

class RoomRequests {
 public:
  RoomRequests(Context& context, BackPressure& pressure, SocketServer& server)
      : context_(context), pressure_(pressure), server_(server) {}

  // False: the argument is not understood, nothing was answered.
  bool room(ConnectionId id, const std::string& argument);
  bool space(ConnectionId id, const std::string& argument);
  void closed(ConnectionId id) { waiters_.erase(id); }
  void step();
  uint64_t next_ms() const { return waiters_.empty() ? UINT64_MAX : next_ms_; }
  void shut_down();

 private:
  struct Waiter {
    bool space = false;
    uint64_t bytes = 0;
    uint64_t until_ms = 0;
  };
  // The answer, or nothing yet.
  std::string answer_to(const Waiter& waiter, uint64_t now);
  void add(ConnectionId id, Waiter waiter, uint64_t ms);

  Context& context_;
  BackPressure& pressure_;
  SocketServer& server_;
  std::map<ConnectionId, Waiter> waiters_;
  uint64_t next_ms_ = 0;
};

}  // namespace wbshim
