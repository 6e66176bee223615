// Gathers what judge() needs: one path at a time, in batches, each thing as it is now.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/volume/tree.h"
#include "tools/ctl/store_reader.h"
#include "tools/ctl/verify_judge.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {

// Paths that the journal holds: changes that Redis does not know yet.
struct JournalPaths {
  std::unordered_set<std::string> single;
  std::vector<std::string> trees;  // and all that lies below these

  bool holds(const std::string& path) const;
};
JournalPaths read_journal_paths(const Config& config);

// Segments that no path of the tree has: empty ones, "." and "..". Only the store can know such a
// name.
bool odd_name(const std::string& path);

class FactFinder {
 public:
  FactFinder(const Config& config, VolumeLink& link, const Tree& tree, StoreReader& store)
      : config_(config), link_(link), tree_(tree), store_(store) {}

  // One answer a key. Objects are asked for where the verdict hangs on it.
  // Nothing: Redis or the store is away (trouble()).
  std::optional<std::vector<Facts>> gather(const std::vector<std::string>& keys);

  // The journal as it is now.
  void refresh_journal() { journal_ = read_journal_paths(config_); }

  const std::string& trouble() const { return trouble_; }

 private:
  void look(Facts& facts) const;
  bool ask_redis(std::vector<Facts>& all);
  bool ask_store(std::vector<Facts>& all);

  const Config& config_;
  VolumeLink& link_;
  const Tree& tree_;
  StoreReader& store_;
  JournalPaths journal_;
  std::string trouble_;
};

}  // namespace wbshim::ctl
