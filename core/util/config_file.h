// The options file (WBSHIM_CONFIG), one option a line:
//   key = value        key: an option's name in lower case, without WBSHIM_
//   # comment          also after a value, when a blank stands before the '#'
// Blanks around key and value do not count; an empty line says nothing; a value may be empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/options.h"
#include "core/util/result.h"

namespace wbshim {

struct ConfigLine {
  Option option;
  std::string value;
  unsigned line;
};

// `name` stands for the file in errors. Unknown and repeated keys and lines without '=' are errors,
// with file and line.
Result<std::vector<ConfigLine>> parse_config_file(std::string_view text, const std::string& name);

}  // namespace wbshim
