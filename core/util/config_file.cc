#include "core/util/config_file.h"

#include <array>

#include "core/util/ascii.h"
#include "core/util/config.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view without_comment(std::string_view line) {
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
      return line.substr(0, i);
  }
  return line;
}

Error unknown_key(const std::string& place, std::string_view key) {
  std::vector<std::string> known;
  for (Option option : all_options()) known.push_back(file_key(option));
  const std::string near = nearest(key, known);
  return Error{place + ": unknown option '" + printable(hide_secrets(key)) + "'" +
               (near.empty() ? ": `shim-ctl config` lists what there is"
                             : "; did you mean '" + near + "'?")};
}

}  // namespace

Result<std::vector<ConfigLine>> parse_config_file(std::string_view text, const std::string& name) {
  std::vector<ConfigLine> lines;
  std::array<unsigned, kOptionCount> seen{};
  unsigned number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = trim(without_comment(text.substr(0, end)), kBlanks);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    number++;
    if (line.empty()) continue;
    const std::string place = "file " + printable(name) + ":" + std::to_string(number);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return Error{place + ": '" + printable(hide_secrets(line)) +
                   "' is not of the form `key = value`"};
    }
    const std::string_view key = trim(line.substr(0, equals), kBlanks);
    bool found = false;
    for (Option option : all_options()) {
      if (file_key(option) != key) continue;
      found = true;
      unsigned& earlier = seen[static_cast<unsigned>(option)];
      if (option == Option::CONFIG)
        return Error{place + ": 'config' cannot stand in the file itself; remove the line"};
      if (earlier != 0) {
        return Error{place + ": '" + std::string(key) + "' stands on line " +
                     std::to_string(earlier) + " already; remove one of the two"};
      }
      earlier = number;
      lines.push_back({option, std::string(trim(line.substr(equals + 1), kBlanks)), number});
    }
    if (!found) return unknown_key(place, key);
  }
  return lines;
}

}  // namespace wbshim
