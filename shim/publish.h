// publish(path): look at the staging tree and make Redis agree (PROTOCOL.md 1). One round trip for
// one or two paths.
//
// Carrier: straight to Redis over a connection this process keeps; else, in batch mode, when Redis
// is away (shared circuit breaker), when the connection is in use by the code a signal interrupted,
// or in a vfork child, a line in the journal. Nothing here fails: the caller's file operation has
// succeeded already. errno is kept. Waits for Redis as breaker.h says.
#pragma once

#include <atomic>

#include "core/base/span.h"

namespace wbshim {

enum class Act {
  Changed,  // it exists, and we changed it
  Removed,  // we removed it
  Moved,    // we removed it by giving it another name: not a deletion for the statistics
};

struct Change {
  Act act = Act::Changed;
  Bytes rel;  // relative to the tree, canonical parent + last name, no leading slash; the root is
              // not published
  bool at_once = false;  // due now, whatever the delay
  bool settled = false;  // bytes and name need no further care (durable.h)
};

void publish(const Change* changes, size_t count);
inline void publish(const Change& change) {
  publish(&change, 1);
}

// After a directory was renamed: all old names are gone, all new ones exist.
// dir: the directory itself, opened before the rename (it keeps its entries whatever is renamed meanwhile); closed here.
void publish_moved_tree(int dir, Bytes from, Bytes to);

// After two names were exchanged, directories or not.
// The descriptors are of what was `one` and `other` before, negative where that was no directory; closed here.
void publish_exchanged(int one_dir, Bytes one, int other_dir, Bytes other);

// The program is about to close or reuse descriptors first…last: if the journal's is among them, it
// is not ours any more.
extern std::atomic<int> journal_fd;
inline void forget_journal(int first, int last) {
  int fd = journal_fd.load(std::memory_order_relaxed);
  if (__builtin_expect(fd >= first && fd <= last, 0))
    journal_fd.store(-1, std::memory_order_relaxed);
}

// Only into the journal: a descriptor that stays open across exec (the uploader looks once nobody
// writes).
void note_held(Bytes rel);

}  // namespace wbshim
