// Texts that live as long as the process: settings, the captured environment. Packed into as few
// pages as possible, because every process pays for each page it touches; filled at load by one
// thread, so without a lock.
#pragma once

#include "core/base/span.h"

namespace wbshim::pool {

// A NUL-terminated copy; null when the pool is full.
const char* keep(Bytes text);

// Two texts as one.
const char* keep(Bytes head, Bytes tail);

}  // namespace wbshim::pool
