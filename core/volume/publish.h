// The uploader's own publishes (PROTOCOL.md 1.1): look at a path, tell Redis, look again, until
// nothing changed in between. What a path was noted for decides what its absence proves.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/shared_page.h"
#include "core/volume/redis.h"
#include "core/volume/tree.h"
#include "core/volume/volume.h"

namespace wbshim {

// A path to look at.
struct Notice {
  std::string path;
  bool acted = false;    // a journal line of our own act, not only a look
  bool removed = false;  // the act was a removal: absence is honoured for records up to `base`
  bool moved = false;    // it lives on under another name: no deletion for the statistics
  bool made = false;     // before that removal it had been made or changed, by the same journal
  uint64_t base = 0;
  bool now = false;   // due at once
  bool hold = false;  // what is there may be torn: recorded as failed, and not queued
};

// Script kinds of publish.lua.
enum class PublishKind : char {
  Changed = 'c',
  Look = 'l',
  Hold = 'h',
  Removed = 'u',
  Replayed = 'j',
  Vanished = 'v'
};

// What publish.lua answered for one item.
enum class PublishCode {
  Unchanged = 0,
  Published = 1,
  RemovedUnstored = 2,
  RemovedStored = 3,
  Refused = 4,
  Nothing = 5
};

struct PublishTotals {
  uint64_t published = 0;
  uint64_t removed = 0;
};

class Publisher {
 public:
  // page: may be null. All outlive the Publisher.
  Publisher(Redis& redis, const Volume& volume, const Tree& tree, SharedPage* page)
      : redis_(redis), volume_(volume), tree_(tree), page_(page) {}

  // Publishes all of them, ancestors that Redis does not know first. False: Redis went away; do it
  // all again later.
  bool publish(const std::vector<Notice>& notices);

  const PublishTotals& totals() const { return totals_; }

 private:
  struct Item;
  bool read_counter(uint64_t* counter);
  bool add_ancestors(std::vector<Item>& items);
  void look(Item& item, uint64_t counter) const;
  bool send(std::vector<Item*>& items);
  void count_skipped(uint64_t bytes);
  void account(const Reply& reply, size_t at, Item& item);

  Redis& redis_;
  const Volume& volume_;
  const Tree& tree_;
  SharedPage* page_;
  PublishTotals totals_;
};

// Highest generation this client knows of: of the page, 0 without one.
uint64_t seen_generation(const SharedPage* page);

}  // namespace wbshim
