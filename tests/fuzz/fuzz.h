// What the fuzz targets share. A target is one function, LLVMFuzzerTestOneInput; an input that
// breaks a promise of the code ends the program, so that libFuzzer keeps it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace wbshim::fuzz {

inline void demand(bool holds, const char* promise) {
  if (holds) return;
  (void)fprintf(stderr, "broken promise: %s\n", promise);
  abort();
}

// The input, taken apart from its front.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  // 0 when there is nothing left.
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  uint64_t number() {
    uint64_t value = 0;
    const size_t n = std::min(sizeof value, rest_.size());
    if (n > 0) memcpy(&value, rest_.data(), n);
    rest_.remove_prefix(n);
    return value;
  }
  // Up to the next `end`, which is dropped.
  std::string until(char end) {
    const size_t n = std::min(rest_.find(end), rest_.size());
    std::string text(rest_.substr(0, n));
    rest_.remove_prefix(std::min(n + 1, rest_.size()));
    return text;
  }
  std::string rest() {
    std::string text(rest_);
    rest_ = {};
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace wbshim::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
