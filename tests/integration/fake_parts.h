// Uploads in parts for the store in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/store/crypto.h"
#include "core/store/parts_store.h"
#include "tests/integration/fake_store.h"

namespace wbshim::test {

class FakeParts final : public PartsStore {
 public:
  explicit FakeParts(FakeStore& store) : store_(store) { store.part_store = this; }

  struct Upload {
    std::string key;
    ObjectMeta meta;
    std::map<unsigned, std::string> parts;
  };
  std::map<std::string, Upload> uploads;  // by id
  std::vector<unsigned> put_numbers;
  unsigned begun = 0, completed = 0;
  // Runs before a request takes effect: "begin", "part 1", "complete", "abort", "copy", "list". What
  // it returns is the outcome; Unknown takes effect, unanswered.
  std::function<StoreOutcome(const std::string&)> decide;

  void begin(const std::string& key, const ObjectMeta& meta, Done done) override {
    later("begin", std::move(done), [this, key, meta](StoreResult& result) {
      result.body = "id" + std::to_string(++begun);
      uploads[result.body] = {key, meta, {}};
    });
  }
  void put(const PartsUpload& upload, unsigned number, std::shared_ptr<const Body> body,
           Done done) override {
    later("part " + std::to_string(number), std::move(done),
          [this, upload, number, body](StoreResult& result) {
            put_numbers.push_back(number);
            if (!known(upload, result)) return;
            uploads[upload.id].parts[number] = body->bytes;
            result.etag = md5_hex(body->bytes);
          });
  }
  void complete(const PartsUpload& upload, const std::vector<std::string>& etags, uint64_t dated_ms,
                Done done) override {
    later("complete", std::move(done), [this, upload, etags, dated_ms](StoreResult& result) {
      if (!known(upload, result)) return;
      const Upload up = uploads[upload.id];
      std::string bytes, sums;
      for (size_t i = 0; i < etags.size(); i++) {
        const auto found = up.parts.find(static_cast<unsigned>(i + 1));
        const std::string part = found == up.parts.end() ? "" : found->second;
        if (md5_hex(part) != etags[i]) result.outcome = StoreOutcome::Absent;
        bytes += part;
        sums += raw(etags[i]);
      }
      if (result.outcome == StoreOutcome::Absent) return;
      store_.objects[up.key] = {bytes, up.meta, dated_ms};
      uploads.erase(upload.id);
      completed++;
      store_.etags[up.key] = md5_hex(sums) + "-" + std::to_string(etags.size());
      result.etag = store_.etag(upload.key);
    });
  }
  void abort(const PartsUpload& upload, Done done) override {
    later("abort", std::move(done), [this, upload](StoreResult&) { uploads.erase(upload.id); });
  }
  void copy_onto_itself(const std::string& key, const ObjectMeta& meta, uint64_t dated_ms,
                        Done done) override {
    later("copy", std::move(done), [this, key, meta, dated_ms](StoreResult& result) {
      store_.objects[key].meta = meta;
      store_.objects[key].dated_ms = dated_ms;
      result.etag = store_.etag(key);
    });
  }
  void list_parts(const PartsUpload& upload, std::function<void(StoredParts)> done) override {
    store_.later([this, upload, done = std::move(done)] {
      StoredParts found;
      found.outcome = uploads.count(upload.id) > 0 ? StoreOutcome::Stored : StoreOutcome::Absent;
      for (const auto& [number, bytes] : uploads[upload.id].parts)
        found.parts.push_back({number, bytes.size(), md5_hex(bytes)});
      done(std::move(found));
    });
  }
  void list_uploads(std::function<void(OpenUploads)> done) override {
    store_.later([this, done = std::move(done)] {
      OpenUploads found;
      found.outcome = StoreOutcome::Stored;
      for (const auto& [id, upload] : uploads) found.uploads.push_back({{upload.key, id}, 1});
      done(std::move(found));
    });
  }

 private:
  static std::string raw(const std::string& hex) {
    std::string out;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
      out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return out;
  }
  bool known(const PartsUpload& upload, StoreResult& result) {
    if (uploads.count(upload.id) > 0) return true;
    result.outcome = StoreOutcome::Absent;
    return false;
  }
  void later(const std::string& what, Done done, std::function<void(StoreResult&)> act) {
    store_.later([this, what, done = std::move(done), act = std::move(act)] {
      StoreResult result;
      result.outcome = decide ? decide(what) : StoreOutcome::Stored;
      const StoreOutcome decided = result.outcome;
      if (decided == StoreOutcome::Stored || decided == StoreOutcome::Unknown) act(result);
      if (decided == StoreOutcome::Unknown) result.outcome = decided;
      if (result.outcome != StoreOutcome::Stored) result.error_class = result.message = "Chosen";
      done(std::move(result));
    });
  }
  FakeStore& store_;
};

}  // namespace wbshim::test
