#include "core/store/profile_file.h"

#include <algorithm>

#include "core/util/ascii.h"

namespace wbshim {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";

// `profile "my name"` gives `profile my name`; inner blanks become one.
std::string section_name(std::string_view text) {
  std::string out;
  bool gap = false;
  for (const char c : trim(text, kBlanks)) {
    if (c == '"' || c == '\'') continue;
    if (c == ' ' || c == '\t') {
      gap = true;
      continue;
    }
    if (gap) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

}  // namespace

ProfileFile parse_profile_file(std::string_view text) {
  ProfileFile out;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  std::map<std::string, std::string>* section = nullptr;
  std::string parent;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view content = trim(line, kBlanks);
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    const bool indented = line[0] == ' ' || line[0] == '\t';
    if (content[0] == '[' && !indented) {
      const size_t close = content.find(']');
      section = close == std::string_view::npos ? nullptr
                                                : &out[section_name(content.substr(1, close - 1))];
      parent.clear();
      continue;
    }
    const size_t equals = content.find('=');
    if (section == nullptr || equals == std::string_view::npos) continue;
    std::string key = lower_case(trim(content.substr(0, equals), kBlanks));
    const std::string value(trim(content.substr(equals + 1), kBlanks));
    if (indented && !parent.empty()) {
      (*section)[std::string(parent).append(".").append(key)] = value;
    } else {
      (*section)[key] = value;
      parent = value.empty() ? key : "";
    }
  }
  return out;
}

}  // namespace wbshim
