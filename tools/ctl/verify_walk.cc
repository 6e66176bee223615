#include "tools/ctl/verify_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/base/record.h"

namespace wbshim::ctl {
namespace {

constexpr size_t kAhead = 8;            // directories listed before their turn
constexpr size_t kKeysAtOnce = 200;     // looked at in one go
constexpr size_t kMostDoubts = 10'000;  // more are looked at before their time
constexpr unsigned kMostLooks = 4;
// At the root of every store: the volume's mark, and what a probe that was killed left.
constexpr const char* kOwnObjects[] = {".wbshim-volume", ".wbshim-probe"};

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

std::string fingerprint(const Facts& facts) {
  const std::string record = facts.record ? std::to_string(facts.record->generation) : "-";
  const std::string file = facts.sight == Sight::Present ? id_of(facts.st) : "-";
  return record + " " + file + " " + facts.object.etag;
}

void rest(uint64_t ms) {
  const timespec pause = {static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000 * 1'000'000)};
  nanosleep(&pause, nullptr);
}

}  // namespace

bool VerifyWalk::give_up(const std::string& why) {
  trouble_ = why;
  return false;
}

bool VerifyWalk::walk(const std::string& path) {
  seen_ = 0;
  stack_.clear();
  Place top{path, path.empty()};
  if (!path.empty()) {
    const auto facts = finder_.gather({path + "/", path});
    if (!facts) return give_up(finder_.trouble());
    const auto& record = facts->front().record;
    const bool directory = (record && record->type == 'd') || S_ISDIR(facts->front().st.st_mode);
    top.looked_at = directory;
    const Facts& as_file = facts->back();
    if (directory || as_file.sight == Sight::Present || record || as_file.object.there) seen_++;
    if (!first_look({directory ? path + "/" : path})) return false;
  }
  stack_.push_back(std::move(top));
  while (!stack_.empty()) {
    for (size_t i = 0; i < std::min(kAhead, stack_.size()); i++) {
      const std::string& next = stack_[stack_.size() - 1 - i].path;
      store_.want(next.empty() ? next : next + "/");
    }
    const Place place = std::move(stack_.back());
    stack_.pop_back();
    if (!visit(place) || !second_look(false)) return false;
    if (report_.broken()) return give_up("standard output is closed");
  }
  return true;
}

bool VerifyWalk::read_tree(const Place& place, Entries& entries) {
  if (odd_name(place.path) && !place.path.empty()) return true;
  Fd fd = tree_.open_beneath(place.path, O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, CloseDir> names(fd ? fdopendir(fd.get()) : nullptr);
  if (!names) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return true;
    report_.tell(place.path, {Finding::Unreadable, strerror(errno), {}}, {});
    return true;
  }
  const int at = fd.release();  // the stream's from now on
  while (const dirent* entry = readdir(names.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    Entry& found = entries[name];
    found.in_tree = fstatat(at, name.c_str(), &found.st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    record::type_of(found.st.st_mode) != 0;
  }
  return true;
}

bool VerifyWalk::read_records(const Place& place, Entries& entries) {
  if (odd_name(place.path) && !place.path.empty()) return true;
  std::string cursor = "0";
  do {
    Reply reply = link_.redis().command(
        {"HSCAN", link_.volume().dir(place.path), cursor, "COUNT", std::to_string(kKeysAtOnce)});
    if (reply.items.size() != 2)
      return give_up(reply.error() ? reply.text : link_.redis().trouble());
    cursor = reply.items[0].text;
    std::vector<Reply>& fields = reply.items[1].items;
    for (size_t i = 0; i + 1 < fields.size(); i += 2)
      entries[fields[i].text].record = std::move(fields[i + 1].text);
  } while (cursor != "0");
  return true;
}

// As far as a list tells: tree, record and object agree, and nothing is under way.
bool VerifyWalk::plainly_well(const std::string& path, const Entry& entry) const {
  if (!entry.in_tree || S_ISDIR(entry.st.st_mode) || !entry.object) return false;
  if (odd_name(path)) return false;
  const auto record = parse_record(entry.record);
  StoredObject object;
  object.there = true;
  object.etag = entry.object->etag;
  object.size = entry.object->size;
  return record && record->state == RecordState::Uploaded && record->owner == rule_.client &&
         matches(*record, entry.st) && same_object(*record, object, true);
}

bool VerifyWalk::confirm(const std::vector<std::string>& keys,
                         const std::vector<const Entry*>& entries, std::vector<std::string>& odd) {
  if (line_.quick) {
    report_.count(Finding::Ok, keys.size());
    return true;
  }
  std::vector<StoreResult> results;
  if (!store_.head(keys, &results)) return give_up(store_.trouble());
  for (size_t i = 0; i < keys.size(); i++) {
    const StoreResult& result = results[i];
    StoredObject object{result.outcome == StoreOutcome::Stored, true, result.etag, result.size,
                        result.meta};
    object.meta.generation = result.generation;
    const auto record = parse_record(entries[i]->record);
    // With --deep each is looked at by itself.
    if (!line_.deep && object.there && record && same_object(*record, object, false)) {
      report_.count(Finding::Ok);
    } else {
      odd.push_back(keys[i]);
    }
  }
  return true;
}

bool VerifyWalk::visit(const Place& place) {
  Entries entries;
  StoreReader::Directory listed;
  const std::string directory = place.path.empty() ? "" : place.path + "/";
  if (!store_.list(directory, &listed)) return give_up(store_.trouble());
  std::vector<std::string> odd, well;
  std::vector<const Entry*> well_entries;
  for (ListedObject& object : listed.objects) {
    if (object.key == directory) {
      if (!place.looked_at) odd.push_back(object.key);
      continue;
    }
    if (place.path.empty() &&
        std::count(std::begin(kOwnObjects), std::end(kOwnObjects), object.key))
      continue;
    entries[object.key.substr(directory.size())].object = std::move(object);
  }
  if (!read_records(place, entries) || !read_tree(place, entries)) return false;
  std::map<std::string, bool> directories;
  for (const std::string& key : listed.directories) directories[path_of_key(key)] = false;
  for (const auto& [name, entry] : entries) {
    const std::string path = below(place.path, name);
    const auto record = parse_record(entry.record);
    const bool recorded = record && record->type == 'd';
    const bool is_directory = entry.in_tree ? S_ISDIR(entry.st.st_mode) : recorded;
    if (is_directory || recorded) directories[path] = is_directory;
    seen_++;
    if (plainly_well(path, entry)) {
      well.push_back(path);
      well_entries.push_back(&entry);
    } else {
      if (is_directory) odd.push_back(path + "/");
      if (!is_directory || entry.object) odd.push_back(path);
    }
  }
  if (!confirm(well, well_entries, odd)) return false;
  for (const auto& [path, looked_at] : directories) {
    stack_.push_back({path, looked_at});
    seen_++;
  }
  for (size_t i = 0; i < odd.size(); i += kKeysAtOnce) {
    const size_t end = std::min(odd.size(), i + kKeysAtOnce);
    if (!first_look({odd.begin() + static_cast<std::ptrdiff_t>(i),
                     odd.begin() + static_cast<std::ptrdiff_t>(end)}))
      return false;
  }
  return true;
}

bool VerifyWalk::first_look(const std::vector<std::string>& keys) {
  finder_.refresh_journal();
  const auto all = finder_.gather(keys);
  if (!all) return give_up(finder_.trouble());
  for (size_t i = 0; i < keys.size(); i++) {
    const Facts& facts = (*all)[i];
    Verdict verdict = judge(facts, rule_);
    if (line_.deep && verdict.finding == Finding::Ok && !deep(facts, verdict)) return false;
    if (wrong(verdict.finding)) {
      doubts_.push_back({keys[i], link_.clock().now_ms(), fingerprint(facts)});
    } else if (verdict.finding == Finding::Pending && mender_ && mender_->keep(facts)) {
      report_.count(Finding::Kept);
    } else {
      report_.count(verdict.finding);
    }
  }
  return true;
}

// Reads the object. False: trouble().
bool VerifyWalk::deep(const Facts& facts, Verdict& verdict) {
  if (facts.type == 'd' || facts.sight != Sight::Present) return true;
  const auto bytes = local_bytes(tree_, facts.path, facts.st);
  StoreResult found;
  if (!bytes) return true;  // it has just changed: another version's business
  if (!store_.get(facts.key(), &found)) return give_up(store_.trouble());
  if (found.outcome == StoreOutcome::Stored && found.body == *bytes) return true;
  verdict = {Finding::Different, "its bytes are not the file's, whatever its ETag says",
             Mend::Act::Again};
  return true;
}

bool VerifyWalk::second_look(bool all) {
  while (!doubts_.empty()) {
    const uint64_t now = link_.clock().now_ms(), due = doubts_.front().since_ms + kSettleMs;
    if (now < due && !all && doubts_.size() < kMostDoubts) return true;
    if (now < due) rest(due - now);
    std::vector<std::string> keys;
    std::vector<Doubt> doubts;
    while (!doubts_.empty() && keys.size() < kKeysAtOnce &&
           doubts_.front().since_ms + kSettleMs <= link_.clock().now_ms()) {
      keys.push_back(doubts_.front().key);
      doubts.push_back(std::move(doubts_.front()));
      doubts_.pop_front();
    }
    finder_.refresh_journal();
    const auto facts = finder_.gather(keys);
    if (!facts) return give_up(finder_.trouble());
    for (size_t i = 0; i < keys.size(); i++) {
      if (!settle((*facts)[i], std::move(doubts[i]))) return false;
    }
    if (report_.broken()) return give_up("standard output is closed");
  }
  return true;
}

bool VerifyWalk::settle(const Facts& facts, Doubt doubt) {
  Verdict verdict = judge(facts, rule_);
  if (line_.deep && verdict.finding == Finding::Ok && !deep(facts, verdict)) return false;
  if (!wrong(verdict.finding)) {
    report_.count(verdict.finding);
    return true;
  }
  std::string now = fingerprint(facts);
  if (now != doubt.seen) {
    if (doubt.looks >= kMostLooks) {
      report_.count(Finding::Pending);  // it changes all the time
    } else {
      doubts_.push_back(
          {std::move(doubt.key), link_.clock().now_ms(), std::move(now), doubt.looks + 1});
    }
    return true;
  }
  const std::string mended = mender_ ? mender_->mend(facts, verdict) : std::string();
  if (!link_.redis().connected()) return give_up(link_.redis().trouble());
  report_.tell(facts.key(), verdict, mended);
  return true;
}

bool VerifyWalk::finish() {
  return second_look(true);
}

}  // namespace wbshim::ctl
