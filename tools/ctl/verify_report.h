// What verify found, told as it goes: nothing but counts is kept.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tools/ctl/verify_judge.h"

namespace wbshim::ctl {

class VerifyReport {
 public:
  // most: lines for people at most; 0: no bound. json: one document instead of lines.
  VerifyReport(std::string prefix, bool json, size_t most)
      : prefix_(std::move(prefix)), json_(json), most_(most) {}

  void count(Finding finding, uint64_t n = 1) { counts_[static_cast<size_t>(finding)] += n; }
  // Something is wrong. mended: what was done about it; empty: nothing.
  void tell(const std::string& path, const Verdict& verdict, const std::string& mended);
  // The end. failure: why it could not look at everything; empty: it did.
  void finish(const std::string& failure);

  // Nothing is wrong, or everything was mended.
  bool well() const { return open_ == 0; }
  // Standard output has failed.
  bool broken() const { return broken_; }
  uint64_t mended() const { return mended_; }

 private:
  void put(const std::string& text);
  std::string summary() const;

  std::string prefix_;
  bool json_;
  size_t most_;
  std::array<uint64_t, static_cast<size_t>(Finding::kCount)> counts_{};
  uint64_t told_ = 0;
  uint64_t open_ = 0;  // wrong, and not mended
  uint64_t mended_ = 0;
  bool broken_ = false;
};

}  // namespace wbshim::ctl
