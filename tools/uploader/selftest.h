// What the staging file system must be able to do (PROTOCOL.md 6.1), tried out at each start.
#pragma once

#include <string>
#include <vector>

#include "core/util/result.h"

namespace wbshim {

// The two answers about leases differ on overlayfs: it sees a descriptor, not a mapping.
struct SelftestFindings {
  bool lease_sees_descriptor = false;
  bool lease_sees_mapping = false;
  bool lease_free_afterwards = false;  // granted once nobody writes any more
  bool tmpfile = false;
  bool exchange = false;
  bool beneath = false;
  std::string failure;  // a call that should work everywhere did not
};

struct StagingMode {
  bool reduced = false;
  std::string reason;  // of the reduced mode, with the better choice; empty otherwise
};

// Tries it in `directory`, leaves nothing behind.
SelftestFindings try_out(const std::string& directory);

// What follows. The error is the user's line.
Result<StagingMode> judge(const SelftestFindings& findings, const std::string& directory);

// Name of the file system, as statfs tells: "ext4", "overlayfs", … or its number.
std::string file_system_name(const std::string& path);

}  // namespace wbshim
