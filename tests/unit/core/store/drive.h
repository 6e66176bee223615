// Runs one operation of a store to its end.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/store/crypto.h"
#include "core/store/store.h"

namespace wbshim::test {

inline std::shared_ptr<const Body> body_of(const std::string& bytes) {
  return std::make_shared<Body>(Body{bytes, sha256_hex(bytes)});
}

inline ObjectMeta meta_of(uint32_t mode, uint64_t generation = 1) {
  ObjectMeta meta;
  meta.mode = mode;
  meta.uid = 12;
  meta.gid = 34;
  meta.mtime_ns = 1'600'000'000'000'000'001;
  meta.generation = generation;
  return meta;
}

class Driver {
 public:
  explicit Driver(Store& store) : store_(store) {}

  StoreResult put(const std::string& key, const std::string& bytes, uint32_t mode = S_IFREG | 0644,
                  uint64_t generation = 1) {
    return run([&](Store::Done done) {
      store_.put(key, body_of(bytes), meta_of(mode, generation), 1, std::move(done));
    });
  }
  StoreResult remove(const std::string& key) {
    return run([&](Store::Done done) { store_.remove(key, 1, std::move(done)); });
  }
  StoreResult head(const std::string& key) {
    return run([&](Store::Done done) { store_.head(key, std::move(done)); });
  }
  StoreResult get(const std::string& key) {
    return run([&](Store::Done done) { store_.get(key, std::move(done)); });
  }

  Listing list(const std::string& directory, const std::string& page = {}) {
    std::optional<Listing> listing;
    store_.list(directory, page, [&listing](Listing found) { listing = std::move(found); });
    CHECK_FALSE(listing.has_value());
    std::vector<Store::Extra> none;
    for (int turn = 0; !listing && turn < 10'000; turn++) store_.poll(none, 10);
    REQUIRE(listing.has_value());
    return *listing;
  }

  // start gets the completion; it must not be called before poll().
  template <typename Start>
  StoreResult run(Start start) {
    std::optional<StoreResult> result;
    start([&result](StoreResult r) { result = std::move(r); });
    CHECK_FALSE(result.has_value());
    std::vector<Store::Extra> none;
    for (int turn = 0; !result && turn < 10'000; turn++) store_.poll(none, 10);
    REQUIRE(result.has_value());
    return *result;
  }

 private:
  Store& store_;
};

}  // namespace wbshim::test
