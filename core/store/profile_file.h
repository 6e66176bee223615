// The file format of ~/.aws/credentials and ~/.aws/config:
//   [section]         or [profile "name"]: quotes are dropped
//   key = value       to the end of the line, blanks trimmed
//     sub = value     an indented line below "key =" is kept as "key.sub"
//   # or ; at the start of a line: a comment
// Lines that are none of these are skipped: other tools' extensions are no error of ours.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace wbshim {

// Section, then key in lower case, to value. A section or key named twice: the later value counts.
using ProfileFile = std::map<std::string, std::map<std::string, std::string>>;

ProfileFile parse_profile_file(std::string_view text);

}  // namespace wbshim
