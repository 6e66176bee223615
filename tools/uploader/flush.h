// One FLUSH request: everything that was closed before it is stored, or named. It never uploads
// itself: it makes due what is queued and listens to what becomes of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/uploader/context.h"
#include "tools/uploader/deletes.h"
#include "tools/uploader/flush_list.h"
#include "tools/uploader/recovery.h"
#include "tools/uploader/replay.h"
#include "tools/uploader/scan.h"
#include "tools/uploader/tree_source.h"
#include "tools/uploader/uploads.h"

namespace wbshim {

struct Parts {
  Uploads& uploads;
  Deletes& deletes;
  Replay& replay;
  Scan& scan;
  const Recovery& recovery;
  const TreeSource& tree_source;
};

class Flush {
 public:
  // timeout_ms: 0 for none.
  Flush(Context& context, Parts parts, uint64_t timeout_ms);

  // Goes on. Returns lines for the asker, empty when there is nothing to say; done() tells when
  // they were the last.
  std::string step();
  bool done() const { return done_; }
  // When step() is to be called at the latest, Clock::now_ms().
  uint64_t next_ms() const { return next_ms_; }

  void saw(const UploadEvent& event);
  void saw(const DeleteEvent& event);

 private:
  enum class Stage { Replaying, Scanning, Storing };

  void begin_scan();
  bool complete();
  void left_queue(const std::vector<std::string>& names);
  std::optional<bool> add_parents();
  bool snapshot();
  bool snapshot_list(List list);
  bool size_up();
  void hasten(List list);
  std::string finish(bool timed_out);
  size_t add_failed(std::string& lines);
  bool store_is_away() const;
  std::string troubles() const;
  std::string redis_away() const;

  Context& context_;
  Parts parts_;
  Stage stage_ = Stage::Replaying;
  uint64_t deadline_ms_;  // UINT64_MAX: none
  uint64_t next_ms_ = 0;
  uint64_t said_at_ms_ = 0;
  uint64_t hasten_at_ms_ = 0;
  uint64_t redis_seen_ms_ = 0;
  uint64_t scan_wanted_ = 0;
  uint64_t losses_seen_ = 0;            // Scan::losses() when our scan was asked for
  uint64_t store_failures_before_ = 0;  // StoreHealth::failures_ever() when storing began
  bool lost_ = false;                   // Redis did not know what the tree has
  bool forgotten_ = false;              // Redis was emptied since
  unsigned scans_ = 0;                  // asked for
  unsigned rounds_ = 0;                 // of add_parents()
  std::map<std::string, std::string> unreadable_;
  FlushList list_;
  bool done_ = false;
};

}  // namespace wbshim
