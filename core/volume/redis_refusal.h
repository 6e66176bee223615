// Errors by which Redis says that it does nothing for anybody now: full, read only, still loading,
// another password … For the tools they mean the same as a Redis that is away.
#pragma once

#include <string>

namespace wbshim {

// What a person can do about it; nullptr: the error is that command's own.
const char* redis_mend(const std::string& error);

}  // namespace wbshim
