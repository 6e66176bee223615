#include "tools/uploader/flush_list.h"

#include <algorithm>
#include <utility>

#include "core/util/json.h"

namespace wbshim {
namespace {

constexpr uint64_t kOpenMs = 700;  // open for writing for so long: it is left
constexpr unsigned kFailures = 6;  // tries at one entry

}  // namespace

void FlushList::clear() {
  paths_.clear();
  keys_.clear();
  entries_total_ = entries_done_ = bytes_total_ = bytes_done_ = 0;
}

void FlushList::count() {
  entries_total_ = size();
  for (const auto& [path, entry] : paths_) bytes_total_ += entry.size;
}

bool FlushList::add(const std::string& path) {
  if (!paths_.try_emplace(path).second) return false;
  entries_total_++;
  return true;
}

void FlushList::stored(List list, const std::string& name) {
  FlushEntries& entries = of(list);
  auto found = entries.find(name);
  if (found == entries.end()) return;
  entries_done_++;
  bytes_done_ += found->second.size;
  std::string parent = parent_of(path_of_key(name));
  if (!parent.empty()) parents_.insert(std::move(parent));
  entries.erase(found);
}

void FlushList::saw(const UploadEvent& event, uint64_t now_ms) {
  auto found = paths_.find(event.path);
  if (found == paths_.end()) return;
  FlushEntry& entry = found->second;
  using Kind = UploadEvent::Kind;
  switch (event.kind) {
    case Kind::Stored:
    case Kind::Superseded:
      stored(List::Due, event.path);
      break;
    case Kind::Nothing:
      break;
    case Kind::Writing:
      if (entry.open_since_ms == 0) entry.open_since_ms = now_ms;
      entry.reason = "open";
      entry.left = now_ms >= entry.open_since_ms + kOpenMs;
      break;
    case Kind::Later:
      break;
    case Kind::Failed:
      entry.reason = "failed";
      entry.left = ++entry.failures >= kFailures;
      break;
    case Kind::Dead:
      entry.reason = "dead";
      entry.left = true;
  }
}

void FlushList::saw(const DeleteEvent& event) {
  auto found = keys_.find(event.key);
  if (found == keys_.end()) return;
  if (event.done) return stored(List::Del, event.key);
  found->second.reason = event.dead ? "dead" : "failed";
  found->second.left = event.dead || ++found->second.failures >= kFailures;
}

void FlushList::give_up() {
  for (FlushEntries* entries : {&paths_, &keys_}) {
    for (auto& [name, entry] : *entries) {
      if (entry.reason.empty()) entry.reason = "store";
      entry.left = true;
    }
  }
}

bool FlushList::waiting(List list) const {
  const FlushEntries& entries = of(list);
  return std::any_of(entries.begin(), entries.end(),
                     [](const auto& entry) { return !entry.second.left; });
}

std::set<std::string> FlushList::take_parents() {
  return std::exchange(parents_, {});
}

std::string FlushList::progress() const {
  return "P " + std::to_string(entries_done_) + " " + std::to_string(entries_total_) + " " +
         std::to_string(bytes_done_) + " " + std::to_string(bytes_total_) + "\n";
}

size_t FlushList::add_left(std::string& lines) const {
  for (List list : {List::Due, List::Del}) {
    for (const auto& [name, entry] : of(list)) {
      std::string reason = entry.reason.empty() ? "pending" : entry.reason;
      lines += "LEFT " + (list == List::Del ? "delete-" + reason : reason) + " " +
               json_quote(name) + "\n";
    }
  }
  return size();
}

}  // namespace wbshim
