// This process as a client of the volume: whether it may touch the staging directory, and what it
// knows of it. Made on the first call that touches the prefix; a process that never does costs
// nothing.
#pragma once

#include "core/base/link_text.h"
#include "core/base/shared_page.h"
#include "core/base/span.h"
#include "shim/paths.h"
#include "shim/settings.h"

namespace wbshim::client {

// Makes the staging directory ready (once per process): directories, canonical name, shared page.
// False: it cannot be used (not ours, not writable); the prefix then does not exist for this
// program, and the log says why. Signal-safe.
bool activate();

// Whether activate() has succeeded before. No work.
bool active();

paths::Roots roots();
link_text::Roots link_roots();

// The shared page; never null (a private stand-in when run/shared cannot be mapped).
SharedPage& page();

const char* journal_file();  // full path
Bytes id();                  // 16 hex digits; "" when it cannot be had
Bytes boot();                // 8 hex digits of the kernel's boot id

// Whether this memory is another process': a vfork child shares its parent's and must change
// nothing. A child with a copy of its own adopts that: in fork's handler, or, when it was made without
// (_Fork, clone), here.
bool borrowed_memory();
// The pid of the process that the memory belongs to: this one's, unless it is borrowed.
int owner();
void adopt_memory();
// At load: from now on such copies are known by a page that the kernel empties in them.
void own_memory();

// Where the library keeps descriptors of its own: out of the way of the programs' numbers (shells
// use 10 and up and 255, tools the lowest free ones). 0 under a small RLIMIT_NOFILE.
int high_descriptor();

// One line into WBSHIM_LOG_FILE, if there is one and `level` (0 error … 3 debug) is wanted.
void log(int level, const char* what, Bytes path = {});

// A change could not be told to anybody: the uploader is asked to scan, and the log says so.
void lost(Bytes where);

// One line on stderr: a call of the program is about to fail because of us. Never raises SIGPIPE.
void complain(Bytes rel, Bytes why, Bytes what_now);

}  // namespace wbshim::client
