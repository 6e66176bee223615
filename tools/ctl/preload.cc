#include "tools/ctl/preload.h"

#include <algorithm>

namespace wbshim::ctl {
namespace {

// "a:b c", as ld.so reads it, without `library`.
std::string without(const std::string& preloaded, const std::string& library) {
  std::string rest;
  for (size_t from = 0; from < preloaded.size();) {
    const size_t end = std::min(preloaded.find_first_of(": ", from), preloaded.size());
    const std::string entry = preloaded.substr(from, end - from);
    if (!entry.empty() && entry != library) rest += ":" + entry;
    from = end + 1;
  }
  return rest;
}

}  // namespace

Variables preload_variables(const Config& config, const std::string& library,
                            const std::string& preloaded) {
  Variables variables = {{"LD_PRELOAD", library + without(preloaded, library)}};
  for (Option option : all_options()) {
    const bool placed = std::string(row(option).fallback).find('$') != std::string::npos &&
                        option != Option::CONFIG;
    const bool always = placed || option == Option::PREFIX || option == Option::VOLUME;
    if (always || !config.is_default(option))
      variables.emplace_back(environment_name(option), config.text(option));
  }
  return variables;
}

}  // namespace wbshim::ctl
