// WBSHIM_UPLOAD_HOURS: the hours of the day, by the local clock, in which uploads may run. Whatever
// the clock does between two looks (summer time, another zone), only the hour that it shows counts.
#pragma once

#include <cstdint>
#include <string>

namespace wbshim {

struct UploadHours {
  unsigned from = 0;
  unsigned to = 24;  // not included; before `from`: past midnight. The same: the whole day.

  bool open_at(unsigned hour) const;
  bool always() const { return from % 24 == to % 24; }
};

// text: "22-6", checked; empty: always.
UploadHours parse_upload_hours(const std::string& text);

// By TZ or the system's zone.
unsigned local_hour(uint64_t wall_ms);

}  // namespace wbshim
