// How much waits for its upload: from Redis, never from sums kept by the way, so that they cannot
// drift.
#pragma once

#include <cstdint>

#include "tools/uploader/context.h"

namespace wbshim {

struct Waiting {
  uint64_t files = 0;      // entries of the delay queue
  uint64_t bytes = 0;      // of their files
  uint64_t oldest_ms = 0;  // first unsaved close of the oldest, by Redis' clock; 0: none
  uint64_t deletes = 0;    // keys to be deleted
  uint64_t settling = 0;   // keys to be looked at
};

class Gauges {
 public:
  explicit Gauges(Context& context) : context_(context) {}

  // Counts again. Bytes and age of a long queue cost a while, so they are at most `patience` ms
  // old.
  const Waiting& refresh(uint64_t patience_ms);
  const Waiting& last() const { return waiting_; }
  double oldest_age_seconds() const;
  // Whether the last refresh() knew of all that had been published and stored by then.
  bool current() const { return current_; }

 private:
  // What the sum was made from.
  struct Signature {
    size_t files = 0;
    uint64_t seen_generation = 0;
    uint64_t uploads = 0;
    bool operator==(const Signature&) const = default;
  };
  bool sum_up();

  Context& context_;
  Waiting waiting_;
  uint64_t summed_at_ms_ = 0;
  bool summed_ = false;
  bool current_ = false;
  Signature signature_;
};

}  // namespace wbshim
