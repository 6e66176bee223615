// credential_process of a profile: a program that prints keys as JSON,
//   {"Version": 1, "AccessKeyId": …, "SecretAccessKey": … [, "SessionToken": …, "Expiration": …]}
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/aws_keys.h"

namespace wbshim {

struct ProcessEnd {
  std::string failure;  // not empty: it could not be started, or did not come to its end
  int status = 0;       // its exit status; 128 and its number after a signal
  std::string out;
  std::string err;  // its last part
};

inline constexpr uint64_t kProcessLimit_ms = 20000;

// The words of a command line: blanks part them, quotes and backslashes keep them together as in a
// POSIX shell; nothing is expanded, no shell is started. Nothing: a quote is not closed.
std::optional<std::vector<std::string>> shell_words(std::string_view line);

// Runs a program, found by PATH, to its end: no standard input, our environment without LD_PRELOAD
// and WBSHIM_ options. After limit_ms, or when stopped() says so, it and what it started are killed.
ProcessEnd run_program(const std::vector<std::string>& words, uint64_t limit_ms,
                       const std::function<bool()>& stopped);

// from: where the command stands, for messages.
Result<AwsKeys> keys_of_process(
    const std::string& command, const std::string& from, uint64_t now_ms,
    const std::function<ProcessEnd(const std::vector<std::string>&)>& run);

}  // namespace wbshim
