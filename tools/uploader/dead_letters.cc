#include "tools/uploader/dead_letters.h"

#include "core/util/json.h"
#include "core/util/log.h"
#include "core/volume/record.h"

namespace wbshim {
namespace {

constexpr size_t kLooksAtOnce = 500;

}  // namespace

void DeadLetters::load() {
  Reply reply = redis_.command({"HKEYS", volume_.dead()});
  if (reply.kind != Reply::Kind::Array) return;
  known_.clear();
  for (const Reply& item : reply.items) known_.insert(item.text);
}

void DeadLetters::add(const std::string& path, const std::string& error_class,
                      const std::string& message, uint64_t attempts) {
  Json json = Json::object();
  json.set("class", error_class)
      .set("message", message)
      .set("attempts", attempts)
      .set("time", clock_.wall_ms());
  if (known_.insert(path).second) log_error("not stored: '" + path + "': " + message);
  redis_.command({"HSET", volume_.dead(), path, json.dump()});
}

void DeadLetters::remove(const std::string& path) {
  if (!has(path)) return;
  // Forgotten only when Redis has forgotten it.
  if (redis_.command({"HDEL", volume_.dead(), path})) known_.erase(path);
}

void DeadLetters::drop_gone() {
  std::vector<std::string> paths;
  for (auto at = known_.upper_bound(dropped_up_to_);
       at != known_.end() && paths.size() < kLooksAtOnce; ++at) {
    paths.push_back(*at);
  }
  dropped_up_to_ = paths.size() < kLooksAtOnce ? std::string() : paths.back();
  if (paths.empty()) return;
  std::vector<Command> commands;
  commands.reserve(paths.size());
  for (const std::string& path : paths)
    commands.push_back({{"HGET", volume_.dir(parent_of(path)), name_of(path)}});
  std::vector<Reply> replies = redis_.pipeline(commands);
  for (size_t i = 0; i < replies.size(); i++) {
    bool gone = replies[i].nil();
    if (replies[i].kind == Reply::Kind::Text) {
      // One that cannot be read is no tombstone; it may be what this letter is about.
      std::optional<Record> record = parse_record(replies[i].text);
      gone = record && record->tombstone();
    }
    if (gone) remove(paths[i]);
  }
}

std::vector<DeadLetter> DeadLetters::list(size_t limit) {
  std::vector<DeadLetter> letters;
  std::string cursor = "0";
  do {
    Reply reply = redis_.command({"HSCAN", volume_.dead(), cursor, "COUNT", "200"});
    if (reply.items.size() != 2) break;
    cursor = reply.items[0].text;
    const std::vector<Reply>& fields = reply.items[1].items;
    for (size_t i = 0; i + 1 < fields.size() && letters.size() < limit; i += 2) {
      std::optional<Json> json = Json::parse(fields[i + 1].text);
      if (!json) json = Json::object();
      letters.push_back({fields[i].text, json->text_of("class"), json->text_of("message"),
                         json->number_of("attempts"), json->number_of("time")});
    }
  } while (cursor != "0" && letters.size() < limit);
  return letters;
}

}  // namespace wbshim
