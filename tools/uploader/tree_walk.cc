#include "tools/uploader/tree_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "core/base/fault.h"
#include "core/util/log.h"

namespace wbshim {
namespace {

constexpr size_t kNamesAtOnce = 200;
constexpr size_t kKeysAtOnce = 1000;
constexpr char kUnverifiedMessage[] =
    "changed shortly before the machine went down, and perhaps not wholly written; look at it, "
    "then "
    "shim-ctl retry uploads it as it is";

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

// The place is no directory of the tree any more.
bool means_gone(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

}  // namespace

TreeWalk::TreeWalk(Context& context, const char* label) : context_(context), label_(label) {
  rule_.client = context.volume.client;
  rule_.boot = context.volume.boot;
}

void TreeWalk::begin(const std::string& directory) {
  stack_.clear();
  stack_.emplace_back().path = directory;
  hunting_ = directory.empty();
  hunt_cursor_ = "0";
}

bool TreeWalk::refresh_rule() {
  Reply reply = context_.redis.command({"HGET", context_.volume.meta(), "gen"});
  if (!reply) return false;
  rule_.counter = strtoull(reply.text.c_str(), nullptr, 10);
  rule_.floor = floor_;
  return true;
}

void TreeWalk::cannot_read(const std::string& path, int error) const {
  if (on_unreadable) on_unreadable(path, error);
}

// All names at once: no descriptor stays open while what lies below is walked.
void TreeWalk::read_names(Place& place) {
  place.read = true;
  Fd fd = context_.tree.open_beneath(place.path, O_RDONLY | O_DIRECTORY);
  std::unique_ptr<DIR, CloseDir> entries(fd ? fdopendir(fd.get()) : nullptr);
  if (!entries) {
    if (!means_gone(errno)) cannot_read(place.path, errno);
    return;
  }
  fd.release();
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(entries.get());
    if (!entry) break;
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      place.names.emplace_back(entry->d_name);
  }
  // A directory that was removed while it was read ends with ENOENT.
  if (errno != 0 && !means_gone(errno)) cannot_read(place.path, errno);
}

// Takes the next names of the tree. False: there are no more.
bool TreeWalk::list_some(Place& place) {
  if (!place.read) read_names(place);
  size_t count = std::min(place.names.size(), kNamesAtOnce);
  auto first = place.names.end() - static_cast<std::ptrdiff_t>(count);
  names_.assign(std::make_move_iterator(first), std::make_move_iterator(place.names.end()));
  place.names.erase(first, place.names.end());
  return !names_.empty();
}

// One batch of Redis' keys: directories that are neither recorded nor there, but have records below them. Whoever removed or
// renamed them was killed between the directory and its entries; no walk from the root comes here.
bool TreeWalk::hunt() {
  const std::string head = context_.volume.dir("");
  Reply reply = context_.redis.command(
      {"SCAN", hunt_cursor_, "MATCH", head + "?*", "COUNT", std::to_string(kKeysAtOnce)});
  if (!reply || reply.items.size() != 2) return false;
  hunt_cursor_ = reply.items[0].text;
  hunting_ = hunt_cursor_ != "0";
  std::vector<std::string> paths;
  for (const Reply& key : reply.items[1].items) {
    std::string path = key.text.substr(std::min(head.size(), key.text.size()));
    if (is_tree_path(path))
      paths.push_back(std::move(path));  // others can have no entries in the tree
  }
  bool away = false;
  std::vector<std::optional<Record>> records = context_.queue.records(paths, &away);
  if (away) return false;
  for (size_t i = 0; i < paths.size(); i++) {
    struct stat st = {};
    if (records[i] && records[i]->type == 'd') continue;
    Sight sight = context_.tree.look(paths[i], &st);
    // A directory that is there was walked, whatever its record.
    if (sight == Sight::Unknown || (sight == Sight::Present && S_ISDIR(st.st_mode))) continue;
    Place& stray = stack_.emplace_back();
    stray.path = std::move(paths[i]);
    stray.listed = true;
  }
  return true;
}

// One batch of the place on top: first what the tree has, then what Redis has.
bool TreeWalk::step(const Manner& manner, Findings& findings) {
  if (stack_.empty()) return !hunting_ || hunt();
  if (stack_.size() > 100000) return false;
  Place& place = stack_.back();
  if (!place.listed) {
    if (list_some(place)) return descend(std::string(place.path), names_, manner, false, findings);
    place.listed = true;
    place.names.shrink_to_fit();
    return true;
  }
  Reply reply = context_.redis.command({"HSCAN", context_.volume.dir(place.path), place.cursor,
                                        "COUNT", std::to_string(kNamesAtOnce)});
  if (!reply || reply.items.size() != 2) return false;
  std::vector<std::string> names;
  const std::vector<Reply>& fields = reply.items[1].items;
  for (size_t i = 0; i + 1 < fields.size(); i += 2) names.push_back(fields[i].text);
  place.cursor = reply.items[0].text;
  std::string path = place.path;
  if (place.cursor == "0") stack_.pop_back();
  return descend(path, names, manner, true, findings);
}

// from_redis: of these names only the absent ones matter; the others were compared with the tree's
// side.
bool TreeWalk::descend(const std::string& directory, const std::vector<std::string>& names,
                       const Manner& manner, bool from_redis, Findings& findings) {
  std::string base = directory.empty() ? "" : directory + "/";
  std::vector<std::string> paths;
  paths.reserve(names.size());
  for (const std::string& name : names) paths.push_back(base + name);
  Findings here;
  if (!compare_all(paths, manner, from_redis, here)) return false;
  for (std::string& path : here.directories) stack_.emplace_back().path = std::move(path);
  findings.published += here.published;
  findings.written.insert(findings.written.end(), here.written.begin(), here.written.end());
  return true;
}

bool TreeWalk::compare(const std::vector<std::string>& paths, const Manner& manner,
                       Findings& findings) {
  return compare_all(paths, manner, false, findings);
}

bool TreeWalk::somebody_writes(const std::string& path) const {
  Fd fd = context_.tree.open_beneath(path, O_RDONLY);
  struct stat st = {};
  return fd && fstat(fd.get(), &st) == 0 && S_ISREG(st.st_mode) &&
         context_.writers.test(fd.get(), st) == Writers::Some;
}

// A file system may have noted a file's size and times, and not yet written its blocks, when the
// power went: it reads as zeros there, and says that nothing is.
bool TreeWalk::has_hole(const std::string& path, const struct stat& st) const {
  Fd fd = context_.tree.open_beneath(path, O_RDONLY);
  return fd && st.st_size > 0 && lseek(fd.get(), 0, SEEK_HOLE) < st.st_size;
}

void TreeWalk::hold_back(const std::string& path, const Record& record) {
  context_.tally.held++;
  if (context_.queue.fail(path, record.generation))
    context_.dead.add(path, kUnverified, kUnverifiedMessage, 1);
}

// The recorded bytes are not there. Whatever of them is goes to quarantine/; an object of an earlier
// state stays.
void TreeWalk::give_up(const std::string& path, const Record& record, ScanAction action) {
  std::string message = "recorded and not yet stored, and not in the staging tree any more";
  if (action == ScanAction::Quarantine) {
    Status moved = context_.quarantine.take(context_.tree, path);
    if (!moved) return log_error("cannot put '" + path + "' into quarantine: " + moved.message());
    message = "a power loss left an earlier state than the recorded one; that is in quarantine/";
    log_warn("'" + path + "': " + message);
    context_.tally.quarantined++;
  } else {
    context_.tally.lost++;
  }
  if (context_.queue.fail(path, record.generation))
    context_.dead.add(path, action == ScanAction::Lost ? kLost : kQuarantined, message, 1);
}

bool TreeWalk::compare_all(const std::vector<std::string>& paths, const Manner& manner,
                           bool from_redis, Findings& findings) {
  if (paths.empty()) return true;
  if (!refresh_rule()) return false;
  bool away = false;
  std::vector<std::optional<Record>> records = context_.queue.records(paths, &away);
  if (away) return false;
  std::vector<Notice> notices;
  for (size_t i = 0; i < paths.size(); i++) {
    if (paths[i] == kVolumeMark) continue;
    struct stat st = {};
    errno = 0;
    Sight sight = context_.tree.look(paths[i], &st);
    if (sight == Sight::Unknown && !from_redis) cannot_read(paths[i], errno);
    bool present = sight == Sight::Present;
    // What Redis alone has may hold further entries; of the tree's directories the tree's side
    // tells.
    bool is_directory = present ? S_ISDIR(st.st_mode) && !from_redis
                                : from_redis && records[i] && records[i]->type == 'd';
    if (is_directory) findings.directories.push_back(paths[i]);
    if (from_redis && present) continue;
    ScanAction action = decide(rule_, sight, st, records[i]);
    bool ours = manner.ours && sight == Sight::Absent && records[i] && !records[i]->tombstone();
    if (action == ScanAction::Nothing && !ours) continue;
    if (action == ScanAction::Inspect) {
      if (has_hole(paths[i], st)) hold_back(paths[i], *records[i]);
      continue;
    }
    if (action == ScanAction::Quarantine || action == ScanAction::Lost) {
      give_up(paths[i], *records[i], action);
      continue;
    }
    // In reduced mode the answer is dear, and only likely.
    if (manner.leave_written && present && S_ISREG(st.st_mode) && !context_.writers.reduced() &&
        somebody_writes(paths[i])) {
      findings.written.push_back(paths[i]);
      continue;
    }
    Notice notice;
    notice.path = paths[i];
    notice.acted = manner.ours && present;
    notice.removed = ours || action == ScanAction::Removed;
    notice.base = action == ScanAction::Removed ? rule_.counter : manner.base;
    notice.hold = action == ScanAction::Hold && !notice.acted;
    notices.push_back(std::move(notice));
  }
  if (notices.empty()) return true;
  log_info(label_ + ": " + std::to_string(notices.size()) + " paths to publish, the first is '" +
           notices.front().path + "'");
  WBSHIM_FAULT(ScanFound);
  if (!context_.publisher.publish(notices)) return false;
  for (const Notice& notice : notices) {
    if (!notice.hold) continue;
    context_.tally.held++;
    context_.dead.add(notice.path, kUnverified, kUnverifiedMessage, 1);
  }
  findings.published += notices.size();
  return true;
}

}  // namespace wbshim
