// Uploads in parts that nobody will finish: begun below the volume's prefix, unknown to Redis, and
// older than a day. They are not to be seen in any list of objects, and are paid for.
#pragma once

#include <set>
#include <string>

#include "core/store/parts_store.h"
#include "tools/ctl/verify_report.h"
#include "tools/ctl/volume_view.h"

namespace wbshim::ctl {

inline constexpr uint64_t kLeftoverAge_ms = uint64_t{24} * 3600 * 1000;

// known: ids that Redis has. One whose beginning is not known is nobody's leftover.
bool is_leftover(const OpenUpload& open, const std::set<std::string>& known, uint64_t now_ms);

// Tells of each; mend: and aborts it. Empty, or why they could not be looked at. A store that takes
// no parts has none.
std::string check_leftover_parts(VolumeLink& link, Store& store, bool mend, VerifyReport& report);

}  // namespace wbshim::ctl
