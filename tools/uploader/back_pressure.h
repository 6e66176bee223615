// Room, kept: measures, judges (pressure_policy.h), tells the library by the shared page
// (core/base/pressure.h), has uploads go early, keeps the reserve, and makes room when a call met a
// full disk.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/util/json.h"
#include "tools/uploader/disk_reserve.h"
#include "tools/uploader/gauges.h"
#include "tools/uploader/metrics_http.h"
#include "tools/uploader/pressure_policy.h"
#include "tools/uploader/uploads.h"

namespace wbshim {

class BackPressure {
 public:
  BackPressure(Context& context, Gauges& gauges, Uploads& uploads);

  // Does what is due: a look at least once a second, ten times where it matters.
  void step();
  uint64_t next_ms() const { return next_ms_; }
  // Looks now. patience_ms: so old the sum of what waits may be.
  void refresh(uint64_t patience_ms = 0);
  const Pressure& judged() const { return judged_; }
  // Whether waiting helps: uploads end, and each lets the level fall.
  bool room_is_coming() const;
  // Whether asking the store for anything makes sense.
  bool store_helps() const;
  // Somebody waited in vain: nobody waits again before an upload has ended.
  void waited_in_vain() { stalled_at_uploads_ = context_.tally.uploads + 1; }

  // For a call that met a full disk and wanted so many bytes. True: it may be tried again.
  bool make_room(uint64_t wanted);

  // For status and metrics.
  Json report() const;
  void add_metrics(std::vector<Metric>& metrics) const;
  // Nobody keeps watch any more.
  void end();

 private:
  // What can be given up when the disk is full, in this order. Eviction of uploaded copies is to
  // become one more. give: true when something was given up.
  struct RoomSource {
    const char* name;
    std::function<bool()> give;
  };
  void keep_reserve(uint64_t now);
  uint64_t count_writing(uint64_t now);
  uint64_t count_staged(uint64_t patience_ms);
  void tell_library() const;
  void log_level(uint64_t now);
  DiskRoom disk() const;
  bool enough(const DiskRoom& room, uint64_t wanted) const;
  std::string causes() const;

  Context& context_;
  Gauges& gauges_;
  Uploads& uploads_;
  PressureLimits limits_;
  DiskReserve reserve_;
  std::vector<RoomSource> sources_;
  DiskRoom room_;
  PressureView view_;
  Pressure judged_;
  uint64_t next_ms_ = 0;
  uint64_t take_reserve_at_ms_ = 0;
  uint64_t recount_at_ms_ = 0;
  uint64_t stalled_at_uploads_ = 0;  // tally.uploads + 1 then; 0: never
  uint64_t reserve_given_ = 0;       // times
  pressure::Level logged_ = pressure::Level::None;
  uint64_t calm_since_ms_ = 0;
};

}  // namespace wbshim
