// A volume in a real Redis, emptied for each case, and short words for what the cases do with it.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "core/volume/queue.h"
#include "core/volume/redis.h"
#include "core/volume/volume.h"
#include "scripts.h"
#include "tests/integration/redis_child.h"

namespace wbshim::test {

// One server for all cases of a program.
inline RedisChild& redis_child() {
  static RedisChild child;
  return child;
}

// One item of publish.lua.
struct PublishItem {
  char kind = 'c';
  std::string path;
  char type = 'f';
  std::string id = "1.2.3.4";
  uint64_t base = 0;
  bool now = false;
  uint64_t size = 5;
  std::string boot = "bootboot";
};

struct PublishAnswer {
  int64_t code = -1;
  uint64_t generation = 0;
  int64_t size = 0;
};

struct VolumeFixture {
  SystemClock clock;
  Redis redis{redis_child().address(), 5000, clock};
  Volume volume;
  Queue queue{redis, volume, clock};
  uint64_t seen = 0;        // highest generation the client claims to have seen
  uint64_t started_ms = 0;  // by the server's clock

  VolumeFixture() {
    REQUIRE(redis.command({"FLUSHALL"}));
    volume.name = "test";
    volume.client = "me";
    volume.instance = "run1";
    volume.boot = "bootboot";
    volume.delay_ms = 60000;
    volume.deadline_ms = 100000;
    started_ms = now();
  }

  std::vector<PublishAnswer> publish_all(const std::vector<PublishItem>& items,
                                         const std::string& client = "me") {
    Volume who = volume;
    who.client = client;
    Command command{
        {who.due(), who.del(), who.object(), who.meta()}, &scripts::publish, 4 + items.size()};
    for (const PublishItem& item : items) command.words.push_back(who.dir(parent_of(item.path)));
    for (const std::string& word :
         {client, std::to_string(who.delay_ms), std::to_string(who.deadline_ms),
          std::to_string(seen), who.boot}) {
      command.words.push_back(word);
    }
    for (const PublishItem& item : items) {
      std::string tail =
          item.type == 'f' ? ",\"size\":" + std::to_string(item.size) : std::string();
      tail += R"(,"mtime_ns":7,"boot":")" + item.boot + "\"";
      for (const std::string& word :
           {std::string(1, item.kind), item.path, name_of(item.path), std::string(1, item.type),
            item.id, tail, std::to_string(item.base), std::string(item.now ? "1" : "0")}) {
        command.words.push_back(word);
      }
    }
    Reply reply = redis.run(command);
    INFO(reply.text);
    REQUIRE(reply.items.size() == 3 * items.size());
    std::vector<PublishAnswer> answers;
    for (size_t i = 0; i < items.size(); i++) {
      answers.push_back({reply.items[3 * i].integer,
                         static_cast<uint64_t>(reply.items[3 * i + 1].integer),
                         reply.items[3 * i + 2].integer});
    }
    return answers;
  }
  PublishAnswer publish(const PublishItem& item, const std::string& client = "me") {
    return publish_all({item}, client).front();
  }

  std::string text(const std::string& path) {
    return redis.command({"HGET", volume.dir(parent_of(path)), name_of(path)}).text;
  }
  std::optional<Record> record(const std::string& path) { return parse_record(text(path)); }
  std::string object_row(const std::string& key) {
    return redis.command({"HGET", volume.object(), key}).text;
  }
  std::optional<uint64_t> due(List list, const std::string& member) {
    return queue.due_times(list, {member}).front();
  }
  uint64_t now() {
    Reply reply = redis.command({"TIME"});
    return std::stoull(reply.items[0].text) * 1000 + std::stoull(reply.items[1].text) / 1000;
  }
  // A time of the server's clock that lies in this case, however slow the machine. The queue knows
  // that clock from its own by whole milliseconds, so it may be ahead of it by a few.
  static constexpr uint64_t kRoundingMs = 10;
  bool in_this_case(uint64_t ms) {
    return ms + kRoundingMs >= started_ms && ms <= now() + kRoundingMs;
  }
  // Due `ms` after a moment of this case.
  bool due_in(List list, const std::string& member, uint64_t ms) {
    auto time = due(list, member);
    return time && *time >= ms && in_this_case(*time - ms);
  }
  Claim claim(const std::string& path) { return queue.claim({path}).front(); }
  DeleteClaim claim_delete(const std::string& key) { return queue.claim_delete({key}).front(); }
  Finished finish(const std::string& path, const Claim& claim, Ending ending = Ending::Ok,
                  uint64_t retry = 0, char type = 'f') {
    return queue
        .finish({{path, object_key(path, type), claim.generation, ending,
                  ending == Ending::Ok ? "etag-" + path : "", retry}})
        .front();
  }
  Finished finish_delete(const std::string& key, const DeleteClaim& claim,
                         Ending ending = Ending::Ok, uint64_t retry = 0) {
    return queue.finish_delete({{path_of_key(key), key, claim.generation, ending, {}, retry}})
        .front();
  }
  // Published and stored.
  uint64_t store(const std::string& path, const std::string& id = "1.2.3.4") {
    publish({.path = path, .id = id});
    Claim taken = claim(path);
    REQUIRE(taken.answer == Claim::Answer::Taken);
    REQUIRE(finish(path, taken) == Finished::Done);
    return taken.generation;
  }
};

}  // namespace wbshim::test
