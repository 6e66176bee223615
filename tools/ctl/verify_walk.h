// Goes through tree, Redis and store a directory at a time, side by side. In memory are one
// directory's entries (about 0.6 KB each), the lists of the next few, and what waits for a second
// look.
//
// What looks wrong is looked at again kSettleMs later, and said only when record, file and object are
// still the same: a program between its close and its record, the uploader between two steps, a store
// whose lists are late are no disagreements.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/ctl/verify_facts.h"
#include "tools/ctl/verify_mend.h"
#include "tools/ctl/verify_report.h"

namespace wbshim::ctl {

class VerifyWalk {
 public:
  static constexpr uint64_t kSettleMs = 3000;

  // mender: null: only look.
  VerifyWalk(const CommandLine& line, VolumeLink& link, const Tree& tree, StoreReader& store,
             FactFinder& finder, const VerifyRule& rule, Mender* mender, VerifyReport& report)
      : line_(line),
        link_(link),
        tree_(tree),
        store_(store),
        finder_(finder),
        rule_(rule),
        mender_(mender),
        report_(report) {}

  // A path and all below it; the empty one is everything. False: trouble().
  bool walk(const std::string& path);
  // The second looks that are left. False: trouble().
  bool finish();
  // Entries that were looked at since the last walk() began.
  uint64_t seen() const { return seen_; }
  const std::string& trouble() const { return trouble_; }

 private:
  struct Place {
    std::string path;
    bool looked_at = false;  // with its own object
  };
  struct Entry {
    bool in_tree = false;
    struct stat st = {};
    std::string record;
    std::optional<ListedObject> object;
  };
  struct Doubt {
    std::string key;
    uint64_t since_ms = 0;
    std::string seen;  // what it was: only the same disagreement, seen twice, is one
    unsigned looks = 1;
  };
  using Entries = std::map<std::string, Entry>;

  bool visit(const Place& place);
  bool read_tree(const Place& place, Entries& entries);
  bool read_records(const Place& place, Entries& entries);
  bool plainly_well(const std::string& path, const Entry& entry) const;
  // HEAD of what the list already shows to be well; adds to `odd` what is not.
  bool confirm(const std::vector<std::string>& keys, const std::vector<const Entry*>& entries,
               std::vector<std::string>& odd);
  bool first_look(const std::vector<std::string>& keys);
  bool second_look(bool all);
  bool settle(const Facts& facts, Doubt doubt);
  bool deep(const Facts& facts, Verdict& verdict);
  bool give_up(const std::string& why);

  const CommandLine& line_;
  VolumeLink& link_;
  const Tree& tree_;
  StoreReader& store_;
  FactFinder& finder_;
  const VerifyRule& rule_;
  Mender* mender_;
  VerifyReport& report_;
  std::vector<Place> stack_;
  std::deque<Doubt> doubts_;
  uint64_t seen_ = 0;
  std::string trouble_;
};

}  // namespace wbshim::ctl
