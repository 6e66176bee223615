// The FTS handles that are ours. Programs hand us libc's and ours alike, and a foreign one must not
// be looked into.
#pragma once

#include <fts.h>

namespace wbshim::fts_handles {

// Any thread, no lock. add() is false when memory is short.
bool add(const FTS* handle);
void remove(const FTS* handle);
// One load as long as the process has none.
bool ours(const FTS* handle);

}  // namespace wbshim::fts_handles
