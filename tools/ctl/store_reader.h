// The store for one who asks and waits: many HEADs at once, lists of directories ahead of their use.
// What passes by itself is tried again a few times; then trouble() says why nothing more is known.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "core/util/clock.h"

namespace wbshim::ctl {

class StoreReader {
 public:
  explicit StoreReader(Store& store) : store_(store) {}

  struct Directory {
    std::vector<ListedObject> objects;
    std::vector<std::string> directories;
  };
  // Lists it now, so that list() need not wait. Twice is once.
  void want(const std::string& directory);
  // All pages. False: trouble().
  bool list(const std::string& directory, Directory* out);

  // One answer a key: Stored or Absent. False: trouble().
  bool head(const std::vector<std::string>& keys, std::vector<StoreResult>* out);
  bool get(const std::string& key, StoreResult* out);

  const std::string& trouble() const { return trouble_; }

 private:
  struct Ahead {
    Directory found;
    bool done = false;
    bool failed = false;
    unsigned tries = 0;
    std::string page;          // to be asked for, or being asked for
    uint64_t again_at_ms = 0;  // not 0: when to ask again
  };
  void fetch(const std::string& directory, const std::shared_ptr<Ahead>& ahead);
  void take(const std::string& directory, const std::shared_ptr<Ahead>& ahead, Listing listing);
  void turn(int timeout_ms);

  Store& store_;
  SystemClock clock_;
  std::map<std::string, std::shared_ptr<Ahead>> ahead_;
  std::string trouble_;
};

}  // namespace wbshim::ctl
