#include "tools/ctl/verify_facts.h"

#include <errno.h>
#include <fcntl.h>

#include "core/base/journal.h"
#include "core/util/bytes.h"
#include "core/util/json.h"

namespace wbshim::ctl {
namespace {

constexpr size_t kAnswersAKey = 7;

// A read lease is refused while somebody has it open for writing.
bool somebody_writes(const Tree& tree, const std::string& path) {
  const Fd fd = tree.open_beneath(path, O_RDONLY);
  if (!fd) return false;
  if (fcntl(fd.get(), F_SETLEASE, F_RDLCK) == 0) {
    fcntl(fd.get(), F_SETLEASE, F_UNLCK);
    return false;
  }
  return errno == EAGAIN || errno == EBUSY;
}

}  // namespace

bool JournalPaths::holds(const std::string& path) const {
  if (single.count(path) > 0) return true;
  for (const std::string& tree : trees) {
    if (path.size() > tree.size() && path[tree.size()] == '/' &&
        path.compare(0, tree.size(), tree) == 0)
      return true;
  }
  return false;
}

JournalPaths read_journal_paths(const Config& config) {
  JournalPaths paths;
  for_each_journal_line(config, [&](const journal::Line& line) {
    std::string path = to_string(line.path);
    if (line.kind == journal::Kind::Tree) paths.trees.push_back(path);
    paths.single.insert(std::move(path));
  });
  return paths;
}

bool odd_name(const std::string& path) {
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    const std::string_view part = std::string_view(path).substr(from, end - from);
    if (part.empty() || part == "." || part == "..") return true;
    from = end + 1;
  }
  return path.find('\0') != std::string::npos;
}

void FactFinder::look(Facts& facts) const {
  if (odd_name(facts.path)) return;
  facts.sight = tree_.look(facts.path, &facts.st);
  facts.journalled = journal_.holds(facts.path);
  facts.open = facts.sight == Sight::Present && S_ISREG(facts.st.st_mode) &&
               somebody_writes(tree_, facts.path);
}

bool FactFinder::ask_redis(std::vector<Facts>& all) {
  const Volume& volume = link_.volume();
  std::vector<Command> commands;
  commands.reserve(all.size() * kAnswersAKey);
  for (const Facts& facts : all) {
    const std::string key = facts.key();
    commands.push_back({{"HGET", volume.dir(parent_of(facts.path)), name_of(facts.path)}});
    commands.push_back({{"ZSCORE", volume.due(), facts.path}});
    commands.push_back({{"HGET", volume.object(), key}});
    commands.push_back({{"ZSCORE", volume.settle(), key}});
    commands.push_back({{"ZSCORE", volume.del(), key}});
    commands.push_back({{"HGET", volume.dead(), facts.path}});
    commands.push_back({{"HLEN", volume.dir(facts.path)}});
  }
  const std::vector<Reply> replies = link_.redis().pipeline(commands);
  const auto text = [](const Reply& reply) { return reply.kind == Reply::Kind::Text; };
  for (size_t i = 0; i < all.size(); i++) {
    const Reply* reply = &replies[i * kAnswersAKey];
    for (size_t j = 0; j < kAnswersAKey; j++) {
      if (reply[j]) continue;
      trouble_ = reply[j].error() ? reply[j].text : link_.redis().trouble();
      return false;
    }
    Facts& facts = all[i];
    if (text(reply[0])) facts.record = parse_record(reply[0].text);
    if (text(reply[0]) && !facts.record) facts.damaged = reply[0].text;
    facts.queued = text(reply[1]);
    facts.busy = text(reply[2]) && reply[2].text.compare(0, 9, "{\"busy\":\"") == 0;
    facts.settling = text(reply[3]);
    facts.deleting = text(reply[4]);
    if (text(reply[5])) {
      const auto letter = Json::parse(reply[5].text);
      facts.dead = letter ? letter->text_of("class", "unknown") : "unknown";
    }
    facts.filled = reply[6].integer > 0;
  }
  return true;
}

bool FactFinder::ask_store(std::vector<Facts>& all) {
  std::vector<std::string> keys;
  std::vector<size_t> where;
  for (size_t i = 0; i < all.size(); i++) {
    if (!needs_head(all[i])) continue;
    keys.push_back(all[i].key());
    where.push_back(i);
  }
  std::vector<StoreResult> results;
  if (!store_.head(keys, &results)) {
    trouble_ = store_.trouble();
    return false;
  }
  for (size_t i = 0; i < where.size(); i++) {
    StoredObject& object = all[where[i]].object;
    object.asked = true;
    object.there = results[i].outcome == StoreOutcome::Stored;
    object.etag = std::move(results[i].etag);
    object.size = results[i].size;
    object.meta = results[i].meta;
    object.meta.generation = results[i].generation;
  }
  return true;
}

std::optional<std::vector<Facts>> FactFinder::gather(const std::vector<std::string>& keys) {
  std::vector<Facts> all(keys.size());
  for (size_t i = 0; i < keys.size(); i++) {
    all[i].path = path_of_key(keys[i]);
    all[i].type = !keys[i].empty() && keys[i].back() == '/' ? 'd' : 'f';
  }
  // The tree last: a record older than the look at the file is a disagreement that passes.
  if (!ask_redis(all) || !ask_store(all)) return std::nullopt;
  for (Facts& facts : all) look(facts);
  return all;
}

}  // namespace wbshim::ctl
