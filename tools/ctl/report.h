// How shim-ctl ends: exit status and one line on standard error.
#pragma once

#include <string>
#include <string_view>

namespace wbshim::ctl {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;  // something failed, named on standard error
inline constexpr int kWrong = 2;   // wrong usage or configuration
inline constexpr int kTimedOut = 124;

// What a step came to. The message is for people, one line, without "shim-ctl: "; empty when it
// went well.
struct Outcome {
  int status = kDone;
  std::string message;

  bool ok() const { return status == kDone; }
  static Outcome failed(std::string message) { return {kFailed, std::move(message)}; }
  static Outcome wrong(std::string message) { return {kWrong, std::move(message)}; }
};

// "shim-ctl: <message>" on standard error.
void complain(std::string_view message);

// Complains when there is something to say; returns the status.
int report(const Outcome& outcome);

// To standard output; false when that failed (a closed pipe, a full disk), which is then complained
// about.
bool put_out(std::string_view text);

}  // namespace wbshim::ctl
