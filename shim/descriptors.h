// Which descriptors of this process were opened under the prefix. Descriptors are real kernel
// descriptors; this table only remembers what is worth a look when one is dropped, so that a
// foreign descriptor costs one load.
//
// Lock-free: the kernel never gives one number to two owners at once, and every entry is taken
// (exchanged) before the real close. Memory borrowed by a vfork child is only read. A descriptor
// past the table, or whose slot could not be had, is looked at through /proc when it is dropped.
#pragma once

#include <cstdint>

#include "core/base/span.h"

namespace wbshim::descriptors {

inline constexpr int kMost = 4096;        // descriptors in the table
inline constexpr unsigned kSlots = 64;    // open-for-writing descriptions whose path is remembered
inline constexpr size_t kSlotPath = 240;  // longer paths are read from /proc

enum class Mark : uint16_t {
  None = 0,
  Inside = 1,
  Writing = 2,
  FirstSlot = 16
};  // FirstSlot + i: slot i

// One open description that may have been written. `path` is relative to the tree, without a
// leading slash; empty: unknown.
struct Slot {
  int pid = 0;            // the process answerable for publishing it at the latest when it ends
  uint64_t baseline = 0;  // ctime in ns at which an inherited descriptor is known to be published
                          // already; 0: never skip
  uint64_t moves = 0;     // SharedPage::moves when the path was learnt
  uint16_t path_size = 0;
  char path[kSlotPath] = {};
};

// A descriptor was opened under the prefix: for writing (its close must publish), or a directory
// (paths relative to it lie inside). Files opened for reading are not marked, they cost nothing.
// rel: the path below the tree if it is canonical, else empty.
void opened(int fd, bool writing, Bytes rel);

// fd's file had no name (O_TMPFILE) and has got this one. moves: SharedPage::moves before it did.
// Does nothing where a path is remembered, or none can be.
void named(int fd, Bytes rel, uint64_t moves);

// `to` is now a duplicate of `from` (whatever `to` was has been dropped by the caller).
void duplicated(int from, int to);

// Whether anything is known of fd: the fast test of every close.
Mark mark(int fd);
inline bool writes(Mark m) {
  return m >= Mark::Writing;
}

// What must happen when fd is dropped. Takes the entry out of the table.
struct Dropped {
  bool publish = false;  // this was the last descriptor of a description that may have been written
  bool borrowed = false;  // by a process on its parent's memory
  uint64_t baseline = 0;
  uint64_t moves = 0;
  uint16_t path_size = 0;
  char path[kSlotPath];
};
void dropped(int fd, Dropped* what);

// Calls visit(fd, slot or null) for every descriptor that may have been written.
void each_writing(void (*visit)(int fd, const Slot* slot, void* context), void* context);

// Whether this process ever had a descriptor that may have been written (one load).
bool any_writing();

// Descriptors first…last are about to be closed together; what had to be published has been.
void forget(unsigned first, unsigned last);

// From the environment's marker: "fd:ctime,…" (ctime in hex ns, 0: publish in any case).
void inherited(const char* marker);

}  // namespace wbshim::descriptors
