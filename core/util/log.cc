#include "core/util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>

#include "core/util/display.h"

namespace wbshim {
namespace {

LogLevel level_now = LogLevel::Warn;
int log_fd = 2;

const char* name(LogLevel level) {
  switch (level) {
    case LogLevel::Error:
      return "error";
    case LogLevel::Warn:
      return "warn";
    case LogLevel::Info:
      return "info";
    case LogLevel::Debug:
      return "debug";
  }
  return "?";
}

}  // namespace

LogLevel parse_log_level(std::string_view text) {
  for (LogLevel level : {LogLevel::Error, LogLevel::Info, LogLevel::Debug}) {
    if (text == name(level)) return level;
  }
  return LogLevel::Warn;
}

Status set_log(LogLevel level, const std::string& file, bool ours) {
  level_now = level;
  if (file.empty()) {
    log_fd = 2;
    return Ok{};
  }
  const int follow = ours ? O_NOFOLLOW : 0;
  int fd = open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | follow, 0600);
  if (fd < 0) {
    return Error{"cannot write the log file '" + printable(file) + "': " + strerror(errno)};
  }
  log_fd = fd;
  return Ok{};
}

bool logs(LogLevel level) {
  return level <= level_now;
}

void log(LogLevel level, std::string_view text) {
  if (!logs(level)) return;
  struct timespec t = {};
  struct tm parts = {};
  clock_gettime(CLOCK_REALTIME, &t);
  gmtime_r(&t.tv_sec, &parts);
  char day[32];
  char head[64];
  (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  (void)snprintf(head, sizeof head, "%s.%03dZ %s ", day, static_cast<int>(t.tv_nsec / 1000000),
                 name(level));
  std::string line = head + printable(text) + "\n";
  // A log that cannot be written is no reason to stop.
  if (write(log_fd, line.data(), line.size()) < 0) return;
}

}  // namespace wbshim
