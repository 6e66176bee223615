// What verify --repair does about a finding. Nothing is guessed: each change is one script that looks
// again (core/volume/mend.h), and bytes are compared before they are said to be equal.
#pragma once

#include <optional>
#include <string>

#include "tools/ctl/command_line.h"
#include "tools/ctl/store_reader.h"
#include "tools/ctl/verify_judge.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {

// The bytes that an upload of this entry would send, if it is still what st says. Nothing: changed,
// or unreadable.
std::optional<std::string> local_bytes(const Tree& tree, const std::string& path,
                                       const struct stat& st);

// Whether these are the object's bytes: by its ETag where that is their MD5 or SHA-256, else by
// reading the object. Nothing: it could not be read.
std::optional<bool> same_bytes(StoreReader& store, const std::string& key,
                               const StoredObject& object, const std::string& bytes);

class Mender {
 public:
  Mender(const CommandLine& line, VolumeLink& link, const Tree& tree, StoreReader& store)
      : line_(line), link_(link), tree_(tree), store_(store) {}

  // What was done, as part of a sentence; empty: nothing.
  std::string mend(const Facts& facts, const Verdict& verdict);
  // A pending entry that the store has already needs no upload. True: it is recorded so now.
  bool keep(const Facts& facts);
  // A record was dropped, so that only a scan brings it back.
  bool wants_scan() const { return wants_scan_; }

 private:
  std::string apply(const Mend& change, const char* done);
  std::string restore(const Facts& facts);
  void record_ancestors(const std::string& path);

  const CommandLine& line_;
  VolumeLink& link_;
  const Tree& tree_;
  StoreReader& store_;
  bool wants_scan_ = false;
};

}  // namespace wbshim::ctl
