// What tree, Redis and store say of one object key, side by side, comes to. Pure.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/store/store.h"
#include "core/volume/mend.h"
#include "core/volume/record.h"
#include "core/volume/tree.h"

namespace wbshim::ctl {

enum class Finding {
  // As it should be.
  Nothing,    // there is nothing, and nothing is recorded
  Ok,         // tree, record and object agree
  StoreOnly,  // record and object agree, and there is no local copy
  Pending,    // it waits for its upload, or is being uploaded or written to
  Deleting,   // its object waits for its deletion
  Kept,       // only after a repair: found stored already, so that it need not be uploaded
  // Something is wrong.
  Missing,     // recorded as uploaded, but the store has no object
  Different,   // recorded as uploaded, but the store has another object
  Unrecorded,  // the tree has it, as Redis does not know it
  Removed,     // the record of a file that was removed without Redis having been told
  Lost,        // its only bytes are gone
  NotQueued,   // it should wait for its upload, but is in no queue
  LostRecord,  // the store has it, and nothing else could know whether it was deleted
  Stray,       // our object, but its file was deleted
  Foreign,     // an object that wbshim did not write
  Dead,        // its upload fails until somebody mends the cause
  Damaged,     // its record cannot be read
  Unreadable,  // the tree cannot be looked at
  Quarantined,
  LeftoverParts,  // of uploads that nobody will finish (leftover_parts.h)
  kCount
};

inline bool wrong(Finding finding) {
  return finding > Finding::Kept;
}
const char* finding_name(Finding finding);   // "missing_object": in JSON
const char* finding_title(Finding finding);  // "missing object": for people

// What is known of the object under a key.
struct StoredObject {
  bool there = false;
  bool asked = false;  // by HEAD: generation and attributes are known, and absence is certain
  std::string etag;    // empty: not known
  uint64_t size = 0;
  ObjectMeta meta;
};

struct Facts {
  std::string path;
  char type = 'f';  // of the key: 'd' when it ends with '/'
  // Tree
  Sight sight = Sight::Absent;
  struct stat st = {};
  bool open = false;        // somebody writes to it
  bool journalled = false;  // a change of it waits in the journal
  // Redis
  std::string damaged;  // the text of a record that cannot be read
  std::optional<Record> record;
  bool queued = false;    // in the delay queue
  bool busy = false;      // a request for the key is under way
  bool settling = false;  // one went unanswered
  bool deleting = false;  // in the deletion queue
  bool filled = false;    // a directory that has entries
  std::string dead;       // class of its dead letter
  StoredObject object;

  std::string key() const { return object_key(path, type); }
};

struct VerifyRule {
  std::string client;
  std::string boot;
  // The tree is no evidence of what happened to versions up to this generation: it is younger, or
  // was lost since.
  uint64_t floor = 0;
};

struct Verdict {
  Finding finding = Finding::Nothing;
  std::string detail;            // one sentence
  std::optional<Mend::Act> act;  // what would mend it
};

// Whether the verdict hangs on what only HEAD can tell.
bool needs_head(const Facts& facts);

Verdict judge(const Facts& facts, const VerifyRule& rule);

// The object is what the record describes. quick: as far as a list can tell.
bool same_object(const Record& record, const StoredObject& object, bool quick);

// The object's attributes are those of the file. Its content is another question.
bool same_attributes(const ObjectMeta& meta, const struct stat& st);

}  // namespace wbshim::ctl
