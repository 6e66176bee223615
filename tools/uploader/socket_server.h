// The Unix socket of core/base/protocol.h: connections, framing and who may speak. What the verbs
// mean stands in requests.h. Nobody can block it: everything is non-blocking, requests and answers
// are bounded, and another user's connection is closed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "core/util/fd.h"
#include "core/util/result.h"

namespace wbshim {

using ConnectionId = uint64_t;

class SocketServer {
 public:
  // A whole request, without its NUL. It is answered by answer(), now or later; until the last line
  // of the answer has been given, no other request of that connection is delivered.
  std::function<void(ConnectionId, const std::string&)> on_request;
  // The other side has gone; answers to it go nowhere.
  std::function<void(ConnectionId)> on_closed;

  SocketServer() = default;
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  // Binds <directory>/<name>, mode 0600; what stood there is removed. The caller holds the lock
  // that makes it his.
  Status listen(const std::string& directory, const std::string& name);

  // lines: each ended by '\n'. last: the answer is complete.
  void answer(ConnectionId id, const std::string& lines, bool last);
  // Bytes that the other side has not taken yet.
  size_t backlog(ConnectionId id) const;
  // A further request has been received and may be delivered by the next handle().
  bool has_next() const;
  size_t connections() const { return connections_.size(); }

  // For Store::poll: adds what to wait for, then handles what came.
  void add_extras(std::vector<Store::Extra>& extras) const;
  void handle(const std::vector<Store::Extra>& extras);

 private:
  struct Connection {
    Fd fd;
    std::string in;
    std::string out;
    bool busy = false;     // a request is being answered
    bool closing = false;  // after what is in `out`
    bool ended = false;    // the other side sends no more, but may still listen
  };
  static bool may_deliver(const Connection& connection);
  void accept_all();
  ConnectionId oldest_idle() const;
  void serve(ConnectionId id, short events);
  bool receive(Connection& connection, bool hung_up);
  bool send(Connection& connection);
  void deliver(ConnectionId id);
  void drop(ConnectionId id);

  Fd listener_;
  std::string path_;
  std::map<ConnectionId, Connection> connections_;
  ConnectionId next_id_ = 1;
};

}  // namespace wbshim
