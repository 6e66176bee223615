// The staging directory on disk, before anybody works in it.
#pragma once

#include "core/util/config.h"
#include "core/util/result.h"

namespace wbshim {

// Makes the directory and its parts tree/, journal/ and run/, where they are missing, mode 0700; a
// directory that others may enter is closed to them. Refused, with the line for the user: one of
// another user, one on a read-only or full disk, and one that holds other things and is open to
// others. Idempotent.
Status prepare_staging(const Config& config);

}  // namespace wbshim
