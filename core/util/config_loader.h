// How a Config comes about; private to core/util/config. One object, one load().
#pragma once

#include <string>
#include <string_view>

#include "core/util/config.h"

namespace wbshim {

class ConfigLoader {
 public:
  explicit ConfigLoader(const ConfigSources& sources) : sources_(sources) {}

  Result<Config> load();

 private:
  // The steps of load(), in order. Each takes what the steps before have settled.
  Status refuse_unknown_variables() const;
  Status take_file();  // where it is, then its lines
  void take_environment();
  void take_flags();
  Status expand_defaults();  // $CACHE, $CONFIG, $VOLUME, $STAGING
  Status check_kinds() const;
  Status check_places();  // prefix, staging and store: absolute, normalised, apart; makes staging
                          // canonical
  Status check_addresses();      // URLs
  Status check_objects() const;  // S3_…

  const std::string* variable(std::string_view name) const;  // its value, or null
  Result<std::string> base_dir(const char* xdg, const char* below_home) const;
  void set(Option option, std::string value, Origin origin, std::string where);
  const std::string& text(Option option) const { return config_.text(option); }
  Error blame(Option option, std::string_view what) const {
    return Error{config_.complaint(option, what)};
  }

  const ConfigSources& sources_;
  std::vector<std::string> values_;  // what variable() points into
  Config config_;
};

// `path` without symbolic links, as far as it exists; what does not exist yet is kept as it is.
std::string canonical(const std::string& path);

// `path` is `dir` or below it. Both absolute and normalised.
bool is_within(std::string_view path, std::string_view dir);

}  // namespace wbshim
