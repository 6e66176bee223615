// The uploader's loop: one thread around Store::poll, with the socket, the journal's directory and
// the signals as extras.
#pragma once

#include <memory>
#include <string>

#include "core/util/fd.h"
#include "tools/uploader/back_pressure.h"
#include "tools/uploader/breaker_keeper.h"
#include "tools/uploader/context.h"
#include "tools/uploader/deletes.h"
#include "tools/uploader/flush.h"
#include "tools/uploader/gauges.h"
#include "tools/uploader/metrics_http.h"
#include "tools/uploader/record_looker.h"
#include "tools/uploader/recovery.h"
#include "tools/uploader/replay.h"
#include "tools/uploader/requests.h"
#include "tools/uploader/room_requests.h"
#include "tools/uploader/scan.h"
#include "tools/uploader/settling.h"
#include "tools/uploader/socket_server.h"
#include "tools/uploader/store_probe.h"
#include "tools/uploader/tree_source.h"
#include "tools/uploader/upload_hours.h"
#include "tools/uploader/uploads.h"
#include "tools/uploader/watch.h"

namespace wbshim {

class Daemon {
 public:
  explicit Daemon(Context& context);

  // Socket, metrics, watch on the journal. The error is the user's line. signals: a signalfd; any
  // signal of it ends the loop.
  Status start(Fd signals, uint64_t tree_floor);
  // Until STOP or a signal. Afterwards nothing is in flight, or it has been given back.
  void run();

 private:
  Status start_metrics();
  void watch_journal();
  // The last run's end, or the library, says that something may have been missed.
  void scan_if_needed();
  bool step();
  void step_journal();
  void check_connection();
  void join();
  void doubt_deletions();
  bool deletions_allowed() const { return scan_.finished() >= scan_before_deletes_; }
  void check_epoch();
  void housekeeping();
  void heartbeat();
  void write_stats(uint64_t patience_ms);
  // Redis is to be had, volume and tree are ours.
  bool sound() const { return context_.redis.connected() && joined_ && intact_; }
  bool works() const { return sound() && !recovery_.pending(); }
  void recover();
  void keep_hours();
  void set_durability();
  std::string metrics_text(uint64_t patience_ms);
  int timeout(bool busy) const;
  void wait(bool busy);
  void end();

  Context& context_;
  Scan scan_;
  Recovery recovery_;
  Replay replay_;
  TreeSource tree_events_;
  RecordLooker looker_;
  Watch watch_;
  Uploads uploads_;
  Deletes deletes_;
  Settling settling_;
  StoreProbe store_probe_;
  Gauges gauges_;
  BreakerKeeper breaker_;
  BackPressure pressure_;
  Parts parts_;
  SocketServer server_;
  Requests requests_;
  RoomRequests room_;
  MetricsHttp metrics_;
  Fd signals_;
  Fd journal_watch_;

  bool stopping_ = false;
  bool journal_news_ = true;
  uint64_t replay_at_ms_ = 0;
  uint64_t housekeeping_at_ms_ = 0;
  uint64_t heartbeat_at_ms_ = 0;
  uint64_t sweep_at_ms_ = 0;
  uint64_t scan_at_ms_ = 0;
  uint64_t connections_seen_ = 1;
  std::string run_id_;
  std::string epoch_;
  uint64_t scan_before_deletes_ = 0;  // the pass that must have ended
  UploadHours hours_;
  bool hours_open_ = true;
  Durability durability_ = Durability::None;
  bool joined_ = true;  // the volume in Redis is ours
  uint64_t join_again_ms_ = 0;
  std::string join_trouble_;  // told already
  bool intact_ = true;        // the tree is where it was
  std::string stats_written_;
};

}  // namespace wbshim
