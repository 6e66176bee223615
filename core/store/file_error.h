// What an errno of a file store means for the object: one list, a reason a line.
#pragma once

#include <string>

#include "core/store/store.h"
#include "core/util/result.h"

namespace wbshim {

// "file:///dir: cannot <act>: <errno's text>; <mend>"
StoreResult file_failure(const std::string& directory, const std::string& act, int error);

// The directory itself cannot be used, so no request will be tried.
// "file:///dir: cannot make or open it: <errno's text>; <mend>"
Error file_root_failure(const std::string& directory, int error);

// The key cannot be a path below the root.
StoreResult file_key_refused(const std::string& directory, const std::string& key,
                             const std::string& why);

}  // namespace wbshim
