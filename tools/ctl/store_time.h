// What time an S3 store has.
#pragma once

#include <cstdint>
#include <string>

namespace wbshim::ctl {

// Seconds since 1970 by the Date header of the endpoint's answer, whatever else it says to somebody
// without a name; -1: none within 10 s. url, addressing: WBSHIM_STORE_URL (s3://…) and
// WBSHIM_S3_ADDRESSING. The process must ignore SIGPIPE.
int64_t store_time(const std::string& url, const std::string& addressing);

}  // namespace wbshim::ctl
