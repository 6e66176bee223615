#include "tools/uploader/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <filesystem>
#include <system_error>

#include "core/base/layout.h"
#include "core/volume/volume.h"

namespace wbshim {
namespace {

constexpr size_t kMostNames = 100;

std::string utc(uint64_t ms) {
  auto seconds = static_cast<time_t>(ms / 1000);
  struct tm parts = {};
  char text[32];
  gmtime_r(&seconds, &parts);
  return std::string(text, strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts));
}

Error failure(const std::string& what) {
  return Error{what + ": " + strerror(errno)};
}

// The directory for that path below `at`, made where it misses.
Fd make_parents(Fd at, const std::string& path) {
  size_t begin = 0;
  for (size_t slash; at && (slash = path.find('/', begin)) != std::string::npos;
       begin = slash + 1) {
    std::string name = path.substr(begin, slash - begin);
    if (mkdirat(at.get(), name.c_str(), 0700) != 0 && errno != EEXIST) return Fd();
    at.reset(openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  }
  return at;
}

}  // namespace

Quarantine::Quarantine(std::string staging, uint64_t since_ms)
    : root_(std::move(staging) + "/" + layout::kQuarantine), folder_(utc(since_ms)) {
  recount();
}

Status Quarantine::take(const Tree& tree, const std::string& path) {
  if (mkdir(root_.c_str(), 0700) != 0 && errno != EEXIST) return failure("cannot make " + root_);
  Fd root(open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!root) return failure("cannot open " + root_);
  Fd to = make_parents(std::move(root), folder_ + "/" + path);
  if (!to) return failure("cannot make its directory in " + root_);
  Fd from = tree.open_beneath(parent_of(path), O_PATH | O_DIRECTORY);
  if (!from) return failure("cannot open its directory");
  std::string name = name_of(path), free = name;
  for (int i = 1;; i++) {
    if (renameat2(from.get(), name.c_str(), to.get(), free.c_str(), RENAME_NOREPLACE) == 0) break;
    if (errno != EEXIST || i == 1000) return failure("cannot move it to " + root_);
    free = name + "." + std::to_string(i);
  }
  count_++;
  if (names_.size() < kMostNames) names_.push_back(folder_ + "/" + path);
  return Ok{};
}

void Quarantine::recount() {
  namespace fs = std::filesystem;
  count_ = 0;
  names_.clear();
  std::error_code error;
  fs::recursive_directory_iterator at(root_, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_directory(error) && !at->is_symlink(error)) continue;
    count_++;
    if (names_.size() < kMostNames) names_.push_back(at->path().string().substr(root_.size() + 1));
  }
}

}  // namespace wbshim
