// Takes the journal's lines, each at least once, without a lock (PROTOCOL.md 5.1,
// tests/model/e_journal.py): rename the file away, read it to its end, and when all of that is
// published unlink it and read to the end once more, for whoever appended in between. Files left
// over by an earlier run come first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/journal.h"
#include "core/util/fd.h"

namespace wbshim {

struct JournalLine {
  journal::Kind kind = journal::Kind::Changed;
  uint64_t base = 0;
  std::string path;
};

class JournalReader {
 public:
  // directory: <staging>/journal.
  explicit JournalReader(std::string directory) : directory_(std::move(directory)) {}

  // Up to `most` further lines. Empty: nothing there now. The next call gives further ones only
  // after acknowledge(), before that the same ones again.
  const std::vector<JournalLine>& next(size_t most);
  // What next() gave is published. When that was the last of a file, the file goes.
  void acknowledge();

  // Lines of which no file is left: they are lost if this process ends before acknowledge().
  std::vector<JournalLine> unsaved() const {
    return unlinked_ ? pending_ : std::vector<JournalLine>{};
  }
  uint64_t damaged() const { return damaged_; }
  // A file is being read, or one is waiting.
  bool has_news() const;
  // Bytes in files that wait.
  uint64_t bytes_waiting() const;

 private:
  bool take();
  void read_on(size_t most);
  void fill();

  std::string directory_;
  std::string taken_;  // path of the file being read; empty: none
  Fd fd_;
  bool unlinked_ = false;
  bool at_end_ = false;
  uint64_t offset_ = 0;
  std::string buffer_;  // read, not yet split into lines
  std::vector<JournalLine> pending_;
  uint64_t damaged_ = 0;
  uint64_t number_ = 0;
};

}  // namespace wbshim
