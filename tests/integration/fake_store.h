// A store in memory whose answers a test chooses. Requests complete inside poll(), in order, like
// the real ones.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/store/store.h"

namespace wbshim::test {

class FakeStore final : public Store {
 public:
  struct Object {
    std::string bytes;
    ObjectMeta meta;
    uint64_t dated_ms = 0;
  };
  std::map<std::string, Object> objects;
  std::map<std::string, std::string> etags;  // of objects that have one of their own
  std::vector<std::string> log;              // "put a", "remove b", "head c"
  // How the next requests end; empty: they succeed.
  std::deque<StoreOutcome> outcomes;
  // Runs before a request takes effect.
  std::function<void(const std::string&)> meanwhile;
  bool held = false;  // nothing completes
  size_t most_at_once = 0;

  void put(const std::string& key, std::shared_ptr<const Body> body, const ObjectMeta& meta,
           uint64_t dated_ms, Done done) override {
    log.push_back("put " + key);
    add(
        [this, key, body, meta, dated_ms, done = std::move(done)] {
          StoreResult result = next();
          if (result.outcome == StoreOutcome::Stored || result.outcome == StoreOutcome::Unknown) {
            objects[key] = {body->bytes, meta, dated_ms};
          }
          if (result.outcome == StoreOutcome::Stored) result.etag = etag(key);
          done(std::move(result));
        },
        key);
  }
  void remove(const std::string& key, uint64_t, Done done) override {
    log.push_back("remove " + key);
    add(
        [this, key, done = std::move(done)] {
          StoreResult result = next();
          if (result.outcome == StoreOutcome::Stored) objects.erase(key);
          done(std::move(result));
        },
        key);
  }
  void head(const std::string& key, Done done) override {
    log.push_back("head " + key);
    add(
        [this, key, done = std::move(done)] {
          StoreResult result = next();
          if (result.outcome == StoreOutcome::Stored && objects.count(key) == 0)
            result.outcome = StoreOutcome::Absent;
          if (result.outcome == StoreOutcome::Stored) result.etag = etag(key);
          done(std::move(result));
        },
        key);
  }
  void get(const std::string& key, Done done) override { head(key, std::move(done)); }
  void list(const std::string& directory, const std::string&, Listed done) override {
    log.push_back("list " + directory);
    add([done = std::move(done)] { done({}); }, directory);
  }
  // Set by who wants uploads in parts (fake_parts.h).
  PartsStore* part_store = nullptr;
  PartsStore* parts() override { return part_store; }
  // Completes in its turn.
  void later(std::function<void()> complete) { waiting_.push_back(std::move(complete)); }

  Status probe(int) override { return Ok{}; }
  size_t in_flight() const override { return waiting_.size(); }
  void poll(std::vector<Extra>& extras, int) override {
    for (Extra& extra : extras) extra.revents = 0;
    most_at_once = std::max(most_at_once, waiting_.size());
    if (held) return;
    std::deque<std::function<void()>> now = std::move(waiting_);
    waiting_.clear();
    for (auto& complete : now) complete();
  }
  std::string etag(const std::string& key) const {
    auto named = etags.find(key);
    if (named != etags.end()) return named->second;
    auto found = objects.find(key);
    return found == objects.end() ? "" : "etag:" + found->second.bytes;
  }

 private:
  void add(std::function<void()> complete, const std::string& key) {
    waiting_.push_back([this, complete = std::move(complete), key] {
      if (meanwhile) meanwhile(key);
      complete();
    });
  }
  StoreResult next() {
    StoreResult result;
    result.outcome = StoreOutcome::Stored;
    if (!outcomes.empty()) {
      result.outcome = outcomes.front();
      outcomes.pop_front();
    }
    if (result.outcome != StoreOutcome::Stored) {
      result.error_class = "Chosen";
      result.message = "the test chose so";
    }
    return result;
  }
  std::deque<std::function<void()>> waiting_;
};

}  // namespace wbshim::test
