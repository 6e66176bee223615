#include "core/util/config_loader.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>

#include "core/util/bytes.h"
#include "core/util/config_file.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

constexpr std::string_view kVariableHead = "WBSHIM_";
constexpr size_t kMaxFile = 1 << 20;

// The whole file; an errno value when it cannot be read.
Result<std::string> read_file(const std::string& path, int* error) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  *error = fd < 0 ? errno : 0;
  if (fd < 0) return Error{strerror(*error)};
  char room[8192];
  ssize_t n;
  while ((n = read(fd, room, sizeof room)) > 0 && text.size() <= kMaxFile)
    text.append(room, static_cast<size_t>(n));
  *error = n < 0 ? errno : text.size() > kMaxFile ? EFBIG : 0;
  close(fd);
  if (*error != 0) return Error{strerror(*error)};
  return text;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const size_t at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), with);
  return text;
}

}  // namespace

Result<Config> ConfigLoader::load() {
  if (Status s = refuse_unknown_variables(); !s) return s.error();
  if (Status s = take_file(); !s) return s.error();
  take_environment();
  take_flags();
  if (Status s = expand_defaults(); !s) return s.error();
  if (Status s = check_kinds(); !s) return s.error();
  if (Status s = check_places(); !s) return s.error();
  if (Status s = check_addresses(); !s) return s.error();
  if (Status s = check_objects(); !s) return s.error();
  return std::move(config_);
}

void ConfigLoader::set(Option option, std::string value, Origin origin, std::string where) {
  config_.settings_[static_cast<unsigned>(option)] = {std::move(value), origin, std::move(where)};
}

const std::string* ConfigLoader::variable(std::string_view name) const {
  for (size_t i = 0; i < sources_.environment.size(); i++) {
    const std::string& entry = sources_.environment[i];
    if (entry.size() > name.size() && entry[name.size()] == '=' &&
        entry.compare(0, name.size(), name) == 0) {
      return &values_[i];
    }
  }
  return nullptr;
}

Status ConfigLoader::refuse_unknown_variables() const {
  for (const std::string& entry : sources_.environment) {
    const std::string name = entry.substr(0, entry.find('='));
    if (name.compare(0, kVariableHead.size(), kVariableHead) != 0 || is_private_variable(name))
      continue;
    std::vector<std::string> known;
    bool found = false;
    for (Option option : all_options()) {
      known.push_back(environment_name(option));
      found = found || known.back() == name;
    }
    if (found) continue;
    // Their common beginning says nothing about likeness.
    for (std::string& option : known) option.erase(0, kVariableHead.size());
    const std::string near = nearest(name.substr(kVariableHead.size()), known);
    return Error{"unknown option " + printable(name) + " (environment): " +
                 (near.empty() ? "unset it; `shim-ctl config` lists what there is"
                               : "did you mean " + std::string(kVariableHead) + near + "?")};
  }
  return Ok{};
}

Result<std::string> ConfigLoader::base_dir(const char* xdg, const char* below_home) const {
  const std::string* set_dir = variable(xdg);
  if (set_dir != nullptr && !set_dir->empty() && set_dir->front() == '/')
    return canonical(*set_dir);
  const std::string* home = variable("HOME");
  const std::string dir = home != nullptr && !home->empty() ? *home : sources_.home;
  if (dir.empty() || dir.front() != '/') {
    return Error{"no home directory is known: set HOME, or " + std::string(xdg)};
  }
  return (dir == "/" ? "" : dir) + "/" + below_home;
}

Status ConfigLoader::take_file() {
  bool chosen = false;
  for (const std::string& entry : sources_.environment)
    values_.push_back(entry.substr(entry.find('=') + 1));
  if (const std::string* file = variable("WBSHIM_CONFIG")) {
    set(Option::CONFIG, *file, Origin::Environment, "environment WBSHIM_CONFIG");
    chosen = true;
  }
  for (const Flag& flag : sources_.flags) {
    if (flag.option != Option::CONFIG) continue;
    set(Option::CONFIG, flag.value, Origin::Flag, "flag --config");
    chosen = true;
  }
  if (!chosen) {
    const Result<std::string> dir = base_dir("XDG_CONFIG_HOME", ".config");
    set(Option::CONFIG, dir ? replaced(row(Option::CONFIG).fallback, "$CONFIG", dir.value()) : "",
        Origin::Default, "default");
  }
  const std::string& path = text(Option::CONFIG);
  if (path.empty()) return Ok{};
  int error = 0;
  const Result<std::string> file = read_file(path, &error);
  // A daemon that reads it again has another working directory.
  if (file) config_.settings_[static_cast<unsigned>(Option::CONFIG)].value = canonical(path);
  if (!file) {
    const bool absent = error == ENOENT || error == ENOTDIR;
    if (absent && !chosen) return Ok{};
    return blame(Option::CONFIG,
                 "cannot read the options file: " + file.message() +
                     (chosen ? "; name another, or unset it" : "; mend or remove it"));
  }
  const auto lines = parse_config_file(file.value(), path);
  if (!lines) return lines.error();
  for (const ConfigLine& line : lines.value()) {
    set(line.option, line.value, Origin::File, "file " + path + ":" + std::to_string(line.line));
  }
  return Ok{};
}

void ConfigLoader::take_environment() {
  for (Option option : all_options()) {
    const std::string name = environment_name(option);
    if (option == Option::CONFIG) continue;  // take_file() has
    if (const std::string* value = variable(name))
      set(option, *value, Origin::Environment, "environment " + name);
  }
}

void ConfigLoader::take_flags() {
  for (const Flag& flag : sources_.flags) {
    set(flag.option, flag.value, Origin::Flag, "flag --" + flag_name(flag.option));
  }
}

Status ConfigLoader::expand_defaults() {
  for (Option option : {Option::VOLUME, Option::STAGING_DIR}) {  // the others may name these two
    if (!config_.setting(option).where.empty()) continue;
    std::string value = row(option).fallback;
    if (option == Option::STAGING_DIR) {
      const Result<std::string> cache = base_dir("XDG_CACHE_HOME", ".cache");
      if (!cache)
        return Error{"WBSHIM_STAGING_DIR has no default here: " + cache.message() +
                     ", or the option itself"};
      value = replaced(replaced(value, "$CACHE", cache.value()), "$VOLUME", text(Option::VOLUME));
    }
    set(option, value, Origin::Default, "default");
  }
  if (!text(Option::STAGING_DIR).empty() && text(Option::STAGING_DIR).front() == '/') {
    Setting& staging = config_.settings_[static_cast<unsigned>(Option::STAGING_DIR)];
    staging.value = canonical(staging.value);
  }
  for (Option option : all_options()) {
    if (!config_.setting(option).where.empty()) continue;
    set(option, replaced(row(option).fallback, "$STAGING", text(Option::STAGING_DIR)),
        Origin::Default, "default");
  }
  return Ok{};
}

}  // namespace wbshim
