// Content-Type by a name's extension: a table of our own, so that an object's type does not depend
// on the machine that uploads it.
#pragma once

#include <string>
#include <string_view>

namespace wbshim {

// For a file of that path; capitals do not count. "application/octet-stream" when the extension is
// not in the table or there is none (".html" alone is a name, not an extension).
std::string_view content_type_of(std::string_view path);

}  // namespace wbshim
