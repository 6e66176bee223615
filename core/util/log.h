// The log of a daemon: one line an event, "2026-01-31T12:00:00.123Z warn text". Lines are written
// by one write() each, so several processes may share the file. Texts are shown through
// printable(): whatever a file name holds, it stays one line.
//
// Thread safety: set_log() before the first thread; the rest from any.
#pragma once

#include <string>
#include <string_view>

#include "core/util/result.h"

namespace wbshim {

enum class LogLevel { Error, Warn, Info, Debug };

// "error", "warn", "info", "debug"; anything else is Warn.
LogLevel parse_log_level(std::string_view text);

// file: appended to, made with mode 0600; empty: standard error. The error names the file and what
// is wrong with it. ours: nobody but us chose the name, so a symbolic link there is refused.
Status set_log(LogLevel level, const std::string& file, bool ours = false);

bool logs(LogLevel level);
void log(LogLevel level, std::string_view text);

inline void log_error(std::string_view text) {
  log(LogLevel::Error, text);
}
inline void log_warn(std::string_view text) {
  log(LogLevel::Warn, text);
}
inline void log_info(std::string_view text) {
  log(LogLevel::Info, text);
}
inline void log_debug(std::string_view text) {
  log(LogLevel::Debug, text);
}

}  // namespace wbshim
