#include "tools/uploader/upload_hours.h"

#include <stdlib.h>
#include <time.h>

namespace wbshim {

bool UploadHours::open_at(unsigned hour) const {
  if (always()) return true;
  const bool wraps = to < from;
  return wraps ? hour >= from || hour < to : hour >= from && hour < to;
}

UploadHours parse_upload_hours(const std::string& text) {
  UploadHours out;
  if (text.empty()) return out;
  char* end = nullptr;
  out.from = static_cast<unsigned>(strtoul(text.c_str(), &end, 10));
  if (*end == '-') out.to = static_cast<unsigned>(strtoul(end + 1, nullptr, 10));
  return out;
}

unsigned local_hour(uint64_t wall_ms) {
  const auto seconds = static_cast<time_t>(wall_ms / 1000);
  tm parts = {};
  localtime_r(&seconds, &parts);
  return static_cast<unsigned>(parts.tm_hour);
}

}  // namespace wbshim
