// Temporary files of our own that somebody who was killed has left in the staging directory.
#pragma once

#include <time.h>

#include <string>

namespace wbshim {

// Removes those that nobody can be writing any more: older than a minute. True: there were some.
bool drop_leftovers(const std::string& staging, time_t now = time(nullptr));

}  // namespace wbshim
