#include "tools/uploader/journal_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/fault.h"
#include "core/util/bytes.h"
#include "core/util/log.h"
#include "core/volume/identity.h"

namespace wbshim {
namespace {

constexpr char kCurrent[] = "/current";
constexpr char kTaken[] = "taken-";
constexpr size_t kChunk = 65536;

// Files that were taken and not finished, in no particular order.
std::vector<std::string> leftovers(const std::string& directory) {
  std::vector<std::string> found;
  DIR* dir = opendir(directory.c_str());
  if (!dir) return found;
  while (const dirent* entry = readdir(dir)) {
    if (strncmp(entry->d_name, kTaken, sizeof kTaken - 1) == 0)
      found.push_back(directory + "/" + entry->d_name);
  }
  closedir(dir);
  std::sort(found.begin(), found.end());
  return found;
}

uint64_t size_of(const std::string& path) {
  struct stat st = {};
  return lstat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
}

}  // namespace

bool JournalReader::take() {
  std::vector<std::string> left = leftovers(directory_);
  if (left.empty()) {
    std::string current = directory_ + kCurrent;
    struct stat there = {};
    if (lstat(current.c_str(), &there) != 0) return false;
    std::string name = directory_ + "/" + kTaken + random_id() + "." + std::to_string(number_++);
    if (rename(current.c_str(), name.c_str()) != 0) return false;
    left.push_back(name);
    WBSHIM_FAULT(JournalTaken);
  }
  Fd fd(open(left.front().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat st = {};
  if (fd ? fstat(fd.get(), &st) == 0 && !S_ISREG(st.st_mode) : errno == ELOOP) {
    // Nothing of ours: no line can be in it, and none could be appended while it was there.
    log_warn("'" + left.front() + "' is no journal but something put in its place; it is removed");
    if (unlink(left.front().c_str()) == 0) damaged_++;
    return false;
  }
  if (!fd) {
    log_error("cannot read the journal '" + left.front() + "': " + strerror(errno));
    return false;
  }
  taken_ = left.front();
  fd_ = std::move(fd);
  unlinked_ = at_end_ = false;
  offset_ = 0;
  buffer_.clear();
  return true;
}

// Appends a chunk of the file to the buffer.
void JournalReader::fill() {
  size_t had = buffer_.size();
  buffer_.resize(had + kChunk);
  ssize_t n = pread(fd_.get(), buffer_.data() + had, kChunk, static_cast<off_t>(offset_));
  if (n < 0) {
    log_error("cannot read the journal '" + taken_ + "': " + strerror(errno));
    damaged_++;  // so that the tree is looked at instead
  }
  size_t got = n > 0 ? static_cast<size_t>(n) : 0;
  buffer_.resize(had + got);
  offset_ += got;
  at_end_ = got == 0;
}

void JournalReader::read_on(size_t most) {
  while (pending_.size() < most && !at_end_) {
    fill();
    Bytes rest = bytes(buffer_);
    journal::Line line;
    bool whole = true;
    while (whole && pending_.size() < most) {
      switch (journal::decode(&rest, &line)) {
        case journal::Next::Line:
          pending_.push_back({line.kind, line.base, to_string(line.path)});
          break;
        case journal::Next::Skipped:
          damaged_++;
          break;
        case journal::Next::End:
          whole = false;
          break;
      }
    }
    buffer_.erase(0, buffer_.size() - rest.size);
    // No line is this long: a damaged file must not fill the memory.
    if (buffer_.size() > 16 * journal::kMaxLine && !whole) {
      damaged_++;
      buffer_.clear();
    }
    if (whole) at_end_ = false;  // stopped in the middle: there is more in the buffer
  }
}

const std::vector<JournalLine>& JournalReader::next(size_t most) {
  if (!pending_.empty()) return pending_;
  // At most a few files: one that is damaged or empty ends at once.
  for (int files = 0; files < 16; files++) {
    if (taken_.empty() && !unlinked_ && !take()) return pending_;
    read_on(most);
    if (!pending_.empty()) return pending_;
    acknowledge();
  }
  return pending_;
}

void JournalReader::acknowledge() {
  pending_.clear();
  if (!at_end_) return;
  if (!unlinked_ && !taken_.empty()) {
    unlink(taken_.c_str());
    WBSHIM_FAULT(JournalUnlinked);
    taken_.clear();
    unlinked_ = true;
    at_end_ = false;  // read to the end once more
    return;
  }
  if (!buffer_.empty()) damaged_++;  // a torn last line
  buffer_.clear();
  unlinked_ = false;
  fd_.reset();
}

bool JournalReader::has_news() const {
  if (!pending_.empty() || fd_) return true;
  return bytes_waiting() > 0;
}

uint64_t JournalReader::bytes_waiting() const {
  uint64_t bytes = size_of(directory_ + kCurrent);
  for (const std::string& path : leftovers(directory_)) bytes += size_of(path);
  return bytes;
}

}  // namespace wbshim
