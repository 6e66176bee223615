// The uploader leaves a file alone that changed a moment ago (tools/uploader/content.h).
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "core/util/clock.h"
#include "tools/uploader/content.h"

namespace wbshim::test {

// Until the uploader would take the file, at most five seconds.
inline void wait_until_settled(const std::string& path) {
  SystemClock clock;
  struct stat st = {};
  REQUIRE(stat(path.c_str(), &st) == 0);
  for (uint64_t end = clock.now_ms() + 5000; !settled(st, false) && clock.now_ms() < end;)
    usleep(1000);
  REQUIRE(settled(st, false));
}

}  // namespace wbshim::test
