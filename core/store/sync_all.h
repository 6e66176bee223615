// fsync of many descriptors at once. The disk's flushes are what takes time, and the kernel shares
// them between callers that wait together: several threads are three to six times faster than one.
#pragma once

#include <vector>

namespace wbshim {

// Blocks until all are done, with a few threads of its own (which take no signals) when there is
// more than one. The result has 0 or an errno for each descriptor, in order.
std::vector<int> sync_all(const std::vector<int>& descriptors);

}  // namespace wbshim
