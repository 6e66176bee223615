#include "core/util/config.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "core/util/ascii.h"
#include "core/util/bytes.h"
#include "core/util/config_loader.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

// Set by one part of wbshim for another. A name that is missing here is taken for a mistyped
// option.
constexpr const char* kPrivateVariables[] = {
    "WBSHIM_FDS",  // the library, across exec: descriptors of the prefix that stay open
    kWatchVariable,
};

Error unknown_flag(std::string_view word) {
  std::vector<std::string> known;
  for (Option option : all_options()) known.push_back("--" + flag_name(option));
  const std::string near = nearest(word, known);
  return Error{"unknown option '" + printable(word) + "' on the command line" +
               (near.empty() ? "" : "; did you mean '" + near + "'?")};
}

}  // namespace

std::string flag_name(Option option) {
  std::string name = file_key(option);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}
std::string file_key(Option option) {
  return lower_case(row(option).name);
}
std::string environment_name(Option option) {
  return std::string("WBSHIM_") + row(option).name;
}

std::string fallback_text(Option option) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"$CACHE", "$XDG_CACHE_HOME"},
      {"$CONFIG", "$XDG_CONFIG_HOME"},
      {"$VOLUME", "<volume>"},
      {"$STAGING", "<staging>"}};
  std::string text = row(option).fallback;
  for (const auto& [name, meaning] : kNames) {
    const size_t at = text.find(name);
    if (at != std::string::npos) text.replace(at, name.size(), meaning);
  }
  return text;
}

std::vector<Option> all_options() {
  std::vector<Option> all;
  for (unsigned i = 0; i < kOptionCount; i++) all.push_back(static_cast<Option>(i));
  return all;
}

bool is_private_variable(std::string_view name) {
  return std::any_of(std::begin(kPrivateVariables), std::end(kPrivateVariables),
                     [&](const char* known) { return name == known; });
}

ConfigSources ConfigSources::system(std::vector<Flag> flags) {
  ConfigSources sources;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; variable++) {
    sources.environment.emplace_back(*variable);
  }
  sources.flags = std::move(flags);
  if (const passwd* user = getpwuid(getuid())) sources.home = user->pw_dir;
  return sources;
}

Result<std::vector<Flag>> parse_flags(int argc, const char* const* argv) {
  std::vector<Flag> flags;
  for (int i = 1; i < argc; i++) {
    const std::string_view word = argv[i];
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const auto all = all_options();
    const auto option =
        std::find_if(all.begin(), all.end(), [&](Option o) { return name == "--" + flag_name(o); });
    if (option == all.end()) return unknown_flag(name);
    if (equals != std::string_view::npos) {
      flags.push_back({*option, std::string(word.substr(equals + 1))});
    } else if (i + 1 < argc) {
      flags.push_back({*option, argv[++i]});
    } else {
      return Error{"'" + std::string(name) +
                   "' on the command line needs a value: " + row(*option).sentence};
    }
  }
  return flags;
}

Result<Config> Config::load(const ConfigSources& sources) {
  return ConfigLoader(sources).load();
}

std::string Config::shown(Option option) const {
  const bool url = row(option).kind == OptionKind::Url;
  return printable(url ? hide_secrets(text(option)) : text(option));
}

std::string Config::complaint(Option option, std::string_view what) const {
  return environment_name(option) + " is '" + shown(option) + "' (" +
         printable(setting(option).where) + "): " + std::string(what);
}

std::string Config::in_staging(std::string_view name) const {
  return name.empty() ? staging() : staging() + "/" + std::string(name);
}

uint64_t Config::duration_ms(Option option) const {
  uint64_t value = 0;
  (void)parse_duration_ms(bytes(text(option)), &value);  // load() has checked it
  return value;
}

uint64_t Config::size(Option option) const {
  uint64_t value = 0;
  (void)parse_size(bytes(text(option)), &value);
  return value;
}

double Config::free_space_ratio() const {
  return strtod(text(Option::FREE_SPACE_RATIO).c_str(), nullptr);
}

uint64_t Config::count(Option option) const {
  uint64_t value = 0;
  (void)parse_count(bytes(text(option)), &value);
  return value;
}

}  // namespace wbshim
