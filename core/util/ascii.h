// Letters and blanks of ASCII, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace wbshim {

inline std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Without the blanks at both ends; each grammar has its own set of them.
inline std::string_view trim(std::string_view text, std::string_view blanks) {
  const size_t from = text.find_first_not_of(blanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

}  // namespace wbshim
