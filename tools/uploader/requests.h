// What the verbs of core/base/protocol.h do.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tools/uploader/context.h"
#include "tools/uploader/flush.h"
#include "tools/uploader/socket_server.h"

namespace wbshim {

class Requests {
 public:
  Requests(Context& context, Parts parts, SocketServer& server)
      : context_(context), parts_(parts), server_(server) {}

  // Set by the daemon.
  std::function<void()> wake;           // look at journal and queue now
  std::function<void()> retry;          // RETRY
  std::function<void()> write_stats;    // STATS
  std::function<std::string()> status;  // STATUS: one line of JSON
  std::function<void()> stop;
  std::function<void()> stalled;  // RELIEVE waited in vain
  std::function<bool(ConnectionId, const std::string&)> ask_room, ask_space;  // see room_requests.h

  void handle(ConnectionId id, const std::string& request);
  void closed(ConnectionId id);
  void saw(const UploadEvent& event);
  void saw(const DeleteEvent& event);
  // Goes on with what takes its time.
  void step();
  uint64_t next_ms() const;
  bool flushing() const { return !flushes_.empty(); }
  // No answer will come any more: says so to everybody who waits.
  void shut_down();

 private:
  // Somebody waits for a path to be stored.
  struct Waiter {
    std::string path;
    uint64_t asked_ms = 0;
    uint64_t again_ms = UINT64_MAX;  // hurry it again then
    std::string last_failure;
    bool patient = true;   // RELIEVE is not
    uint64_t uploads = 0;  // that had ended when it was asked
  };
  void upload(ConnectionId id, const std::string& path, bool patient);
  void flush(ConnectionId id, const std::string& argument);
  void answer_scans();
  bool answer_from_record(ConnectionId id, const std::string& path);
  uint64_t vain_at(const Waiter& waiter) const;
  void finish(ConnectionId id, const std::string& line);

  Context& context_;
  Parts parts_;
  SocketServer& server_;
  std::map<ConnectionId, Waiter> waiters_;
  std::map<ConnectionId, std::unique_ptr<Flush>> flushes_;
  std::map<ConnectionId, uint64_t> scans_;  // number of the pass that each waits for
  std::vector<ConnectionId> gone_;          // whose other side has closed
};

}  // namespace wbshim
