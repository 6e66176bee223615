#include "core/volume/queue.h"

#include <stdlib.h>

#include <algorithm>

#include "core/util/log.h"
#include "core/volume/redis_refusal.h"
#include "scripts.h"

namespace wbshim {
namespace {

// RedisLink takes 48 words a command.
constexpr size_t kMembersPerCommand = 20;
constexpr int kMostRounds = 100;
constexpr size_t kShown = 200;

uint64_t to_number(const std::string& text) {
  return strtoull(text.c_str(), nullptr, 10);
}

// Scores are printed as doubles: "1767225600123", and from 10^17 on with an exponent.
uint64_t to_score(const std::string& text) {
  double value = strtod(text.c_str(), nullptr);
  return value > 0 && value < 1e18 ? static_cast<uint64_t>(value) : 0;
}

std::string pause_word(uint64_t retry_ms) {
  return retry_ms == kKeepPlace ? "-" : std::to_string(retry_ms);
}

const char* word(Ending ending) {
  switch (ending) {
    case Ending::Ok:
      return "ok";
    case Ending::Fail:
      return "fail";
    case Ending::Release:
      return "release";
    case Ending::Unknown:
      return "unknown";
  }
  return "fail";
}

// A refusal of everybody is told once, by Redis itself.
void complain(const Reply& reply) {
  if (reply.error() && !redis_mend(reply.text)) log_error("Redis refused a script: " + reply.text);
}

Finished finished(const Reply& reply) {
  complain(reply);
  if (reply.none() || redis_mend(reply.error() ? reply.text : "")) return Finished::Away;
  if (reply.kind != Reply::Kind::Integer || reply.integer < 0) return Finished::Lost;
  return reply.integer == 1 ? Finished::Done : Finished::NotDone;
}

Claim parse_claim(const Reply& reply) {
  Claim claim;
  complain(reply);
  if (reply.items.empty()) return claim;
  const std::string& answer = reply.items[0].text;
  if (answer == "gone") claim.answer = Claim::Answer::Gone;
  if (answer == "foreign") claim.answer = Claim::Answer::Foreign;
  if (answer == "done") claim.answer = Claim::Answer::Done;
  if (answer == "busy") claim.answer = Claim::Answer::Busy;
  if (answer == "ok" && reply.items.size() == 4) {
    claim.answer = Claim::Answer::Taken;
    claim.record = parse_record(reply.items[1].text);
    claim.generation = to_number(reply.items[2].text);
    claim.dated_ms = to_number(reply.items[3].text);
  }
  return claim;
}

}  // namespace

std::string Queue::key(List list) const {
  switch (list) {
    case List::Due:
      return volume_.due();
    case List::Del:
      return volume_.del();
    case List::Settle:
      return volume_.settle();
  }
  return {};
}

std::optional<std::vector<QueueEntry>> Queue::first(List list, size_t limit) {
  return page(list, 0, limit);
}

std::optional<std::vector<QueueEntry>> Queue::page(List list, size_t begin, size_t limit) {
  std::vector<QueueEntry> entries;
  // Where all of a page is thrown away, what follows has come up.
  for (int round = 0; limit > 0 && round < kMostRounds; round++) {
    std::vector<Reply> replies =
        redis_.pipeline({{{"TIME"}},
                         {{"ZRANGE", key(list), std::to_string(begin),
                           std::to_string(begin + limit - 1), "WITHSCORES"}}});
    if (!replies[1] || replies[0].items.size() != 2) return std::nullopt;
    uint64_t now =
        to_number(replies[0].items[0].text) * 1000 + to_number(replies[0].items[1].text) / 1000;
    offset_ms_ = now - clock_.now_ms();
    std::vector<Reply>& items = replies[1].items;
    entries.reserve(items.size() / 2);
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (names_a_file(list, items[i].text))
        entries.push_back({std::move(items[i].text), to_score(items[i + 1].text)});
    }
    if (!entries.empty() || items.empty()) break;
  }
  return entries;
}

// If not, somebody else wrote it, and it would stand in the way of the others for ever.
bool Queue::names_a_file(List list, const std::string& member) {
  if (is_tree_path(list == List::Due ? member : path_of_key(member))) return true;
  log_warn("'" + member.substr(0, kShown) + "' in " + key(list) +
           " is no name of a file; it is removed");
  redis_.command({"ZREM", key(list), member});
  return false;
}

std::optional<size_t> Queue::size(List list) {
  Reply reply = redis_.command({"ZCARD", key(list)});
  if (reply.kind != Reply::Kind::Integer) return std::nullopt;
  return static_cast<size_t>(reply.integer);
}

std::vector<std::optional<uint64_t>> Queue::due_times(List list,
                                                      const std::vector<std::string>& members) {
  std::vector<Command> commands;
  commands.reserve(members.size());
  for (const std::string& member : members) commands.push_back({{"ZSCORE", key(list), member}});
  std::vector<Reply> replies = redis_.pipeline(commands);
  std::vector<std::optional<uint64_t>> times(members.size());
  for (size_t i = 0; i < replies.size(); i++) {
    if (!replies[i]) return {};
    if (replies[i].kind == Reply::Kind::Text) times[i] = to_score(replies[i].text);
  }
  return times;
}

std::vector<std::string> Queue::below(List list, const std::string& path) {
  std::string pattern;
  for (char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') pattern += '\\';
    pattern += c;
  }
  pattern += "/*";
  std::vector<std::string> found;
  std::string cursor = "0";
  do {
    Reply reply = redis_.command({"ZSCAN", key(list), cursor, "MATCH", pattern, "COUNT", "1000"});
    if (reply.items.size() != 2) break;
    cursor = reply.items[0].text;
    const std::vector<Reply>& items = reply.items[1].items;
    for (size_t i = 0; i < items.size(); i += 2) found.push_back(items[i].text);
  } while (cursor != "0");
  return found;
}

bool Queue::postpone(List list, const std::vector<std::string>& members, uint64_t ms) {
  std::vector<QueueEntry> entries;
  entries.reserve(members.size());
  uint64_t when = now_ms() + ms;
  for (const std::string& member : members) entries.push_back({member, when});
  return put_back(list, entries);
}

bool Queue::put_back(List list, const std::vector<QueueEntry>& entries) {
  std::vector<Command> commands;
  for (size_t i = 0; i < entries.size(); i += kMembersPerCommand) {
    Command command{{"ZADD", key(list), "XX"}};
    for (size_t j = i; j < std::min(entries.size(), i + kMembersPerCommand); j++) {
      command.words.push_back(std::to_string(entries[j].due_ms));
      command.words.push_back(entries[j].member);
    }
    commands.push_back(std::move(command));
  }
  for (const Reply& reply : redis_.pipeline(commands)) {
    if (!reply) return false;
  }
  return true;
}

std::vector<Claim> Queue::claim(const std::vector<std::string>& paths, const Idle& idle) {
  std::vector<Command> commands;
  commands.reserve(paths.size());
  for (const std::string& path : paths) {
    commands.push_back({{volume_.dir(parent_of(path)), volume_.due(), volume_.object(),
                         volume_.settle(), volume_.dir(path), volume_.client, volume_.instance,
                         path, name_of(path), idle && idle(path) ? "1" : "0"},
                        &scripts::claim,
                        5});
  }
  std::vector<Claim> claims;
  for (const Reply& reply : redis_.pipeline(commands)) claims.push_back(parse_claim(reply));
  return claims;
}

bool Queue::fail(const std::string& path, uint64_t generation) {
  const Command command{{volume_.dir(parent_of(path)), volume_.due(), volume_.client, path,
                         name_of(path), std::to_string(generation)},
                        &scripts::fail,
                        2};
  const std::vector<Reply> replies = redis_.pipeline({command});
  return replies.size() == 1 && replies[0].integer == 1;
}

Claim Queue::renew(const std::string& path, const std::string& key, uint64_t generation) {
  const Reply reply =
      redis_.run({{volume_.object(), volume_.dir(parent_of(path)), volume_.client, volume_.instance,
                   key, std::to_string(generation), name_of(path)},
                  &scripts::renew,
                  2});
  complain(reply);
  Claim claim;
  if (reply.kind != Reply::Kind::Integer) return claim;
  claim.answer = reply.integer > 0    ? Claim::Answer::Taken
                 : reply.integer == 0 ? Claim::Answer::Done
                                      : Claim::Answer::Busy;
  claim.generation = generation;
  if (reply.integer > 0) claim.dated_ms = static_cast<uint64_t>(reply.integer);
  return claim;
}

std::vector<Finished> Queue::finish(const std::vector<Finish>& list) {
  std::vector<Command> commands;
  commands.reserve(list.size());
  for (const Finish& f : list) {
    commands.push_back(
        {{volume_.dir(parent_of(f.path)), volume_.due(), volume_.object(), volume_.settle(),
          volume_.del(), volume_.client, volume_.instance, f.path, name_of(f.path), f.key,
          std::to_string(f.generation), f.etag, word(f.ending), pause_word(f.retry_ms)},
         &scripts::finish,
         5});
  }
  std::vector<Finished> answers;
  for (const Reply& reply : redis_.pipeline(commands)) answers.push_back(finished(reply));
  return answers;
}

std::vector<DeleteClaim> Queue::claim_delete(const std::vector<std::string>& keys,
                                             const Idle& idle) {
  std::vector<Command> commands;
  commands.reserve(keys.size());
  for (const std::string& key : keys) {
    std::string path = path_of_key(key);
    commands.push_back({{volume_.dir(parent_of(path)), volume_.del(), volume_.object(),
                         volume_.settle(), volume_.client, volume_.instance, path, name_of(path),
                         key, idle && idle(key) ? "1" : "0"},
                        &scripts::claim_delete,
                        4});
  }
  std::vector<DeleteClaim> claims;
  for (const Reply& reply : redis_.pipeline(commands)) {
    DeleteClaim claim;
    complain(reply);
    std::string answer = reply.items.empty() ? "" : reply.items[0].text;
    if (answer == "wanted") claim.answer = DeleteClaim::Answer::Wanted;
    if (answer == "busy") claim.answer = DeleteClaim::Answer::Busy;
    if (answer == "ok" && reply.items.size() == 3) {
      claim.answer = DeleteClaim::Answer::Taken;
      claim.generation = to_number(reply.items[1].text);
      claim.dated_ms = to_number(reply.items[2].text);
    }
    claims.push_back(claim);
  }
  return claims;
}

std::vector<Finished> Queue::finish_delete(const std::vector<Finish>& list) {
  std::vector<Command> commands;
  commands.reserve(list.size());
  for (const Finish& f : list) {
    commands.push_back({{volume_.dir(parent_of(f.path)), volume_.due(), volume_.object(),
                         volume_.settle(), volume_.del(), volume_.client, volume_.instance, f.path,
                         name_of(f.path), f.key, std::to_string(f.generation), word(f.ending),
                         pause_word(f.retry_ms), std::to_string(volume_.delay_ms)},
                        &scripts::finish_delete,
                        5});
  }
  std::vector<Finished> answers;
  for (const Reply& reply : redis_.pipeline(commands)) answers.push_back(finished(reply));
  return answers;
}

Settled Queue::settle(const std::string& key, const std::string& found) {
  std::string path = path_of_key(key);
  Reply reply =
      redis_.run({{volume_.dir(parent_of(path)), volume_.due(), volume_.object(), volume_.settle(),
                   volume_.del(), volume_.client, path, name_of(path), key, found},
                  &scripts::settle,
                  5});
  complain(reply);
  if (reply.kind != Reply::Kind::Integer) return Settled::Away;
  if (reply.integer == 1) return Settled::Staged;
  if (reply.integer == 2) return Settled::Deleting;
  return reply.integer == 3 ? Settled::Postponed : Settled::Right;
}

std::vector<std::optional<Record>> Queue::records(const std::vector<std::string>& paths,
                                                  bool* away) {
  std::vector<Command> commands;
  commands.reserve(paths.size());
  for (const std::string& path : paths)
    commands.push_back({{"HGET", volume_.dir(parent_of(path)), name_of(path)}});
  std::vector<std::optional<Record>> records;
  *away = false;
  for (const Reply& reply : redis_.pipeline(commands)) {
    if (!reply) *away = true;
    records.push_back(reply.kind == Reply::Kind::Text ? parse_record(reply.text) : std::nullopt);
  }
  return records;
}

}  // namespace wbshim
