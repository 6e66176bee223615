// The options as the tools see them: every row of core/base/options.def with its value and where
// that came from.
//
// Precedence: flag > environment > file > default. A flag is --upload-delay, the environment
// WBSHIM_UPLOAD_DELAY, a line of the file `upload_delay = 10m` (grammar: config_file.h). What
// load() returns has been checked: every value is of its kind, unknown names are refused wherever
// they stand, options whose feature is not there yet have their default, and prefix, staging and
// store do not contain one another. Nothing is created and no connection is made.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/options.h"
#include "core/util/result.h"

namespace wbshim {

struct Flag {
  Option option;
  std::string value;
};

// What load() reads, as values, so that a test can give its own.
struct ConfigSources {
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<Flag> flags;               // the last of one name counts
  std::string home;                      // of the user in the password data, for when HOME is unset

  // Those of this process.
  static ConfigSources system(std::vector<Flag> flags = {});
};

enum class Origin { Default, File, Environment, Flag };

struct Setting {
  std::string value;
  Origin origin = Origin::Default;
  std::string where;  // "default", "file /home/u/.config/wbshim/config:3", "environment WBSHIM_X",
                      // "flag --x"
};

class Config {
 public:
  // The error is the one line for the user: option, value (secrets hidden), origin, mend. Exit
  // status 2.
  static Result<Config> load(const ConfigSources& sources);

  const Setting& setting(Option option) const { return settings_[static_cast<unsigned>(option)]; }
  const std::string& text(Option option) const { return setting(option).value; }
  bool is_default(Option option) const { return setting(option).origin == Origin::Default; }

  // The value as it may be shown: passwords in URLs hidden, control characters escaped.
  std::string shown(Option option) const;
  // "WBSHIM_STORE_URL is 's3://x' (flag --store-url): " and `what`, which says what is wrong and
  // how to mend it.
  std::string complaint(Option option, std::string_view what) const;

  const std::string& prefix() const { return text(Option::PREFIX); }
  // Absolute, without symbolic links as far as it exists. The caller makes the directory, mode
  // 0700.
  const std::string& staging() const { return text(Option::STAGING_DIR); }
  // A path inside the staging directory; name: one of core/base/layout.h.
  std::string in_staging(std::string_view name) const;
  const std::string& volume() const { return text(Option::VOLUME); }
  const std::string& redis_url() const {
    return text(Option::REDIS_URL);
  }  // may hold a password: show shown()
  const std::string& store_url() const { return text(Option::STORE_URL); }
  // The staging directory's own redis-server, which shim-ctl starts and stops. By value, not by
  // origin: a command that runs under `shim-ctl run` has every option in its environment.
  bool redis_is_default() const {
    return text(Option::REDIS_URL) == "unix://" + in_staging("run/redis.sock");
  }
  bool store_is_default() const {
    return text(Option::STORE_URL) == "file://" + in_staging("store");
  }
  bool metrics_is_default() const { return is_default(Option::METRICS); }

  uint64_t upload_delay_ms() const { return duration_ms(Option::UPLOAD_DELAY); }
  uint64_t upload_deadline_ms() const { return duration_ms(Option::UPLOAD_DEADLINE); }
  uint64_t writeback_max_size() const { return size(Option::WRITEBACK_MAX_SIZE); }  // 0: no limit
  uint64_t upload_limit() const { return size(Option::UPLOAD_LIMIT); }              // 0: no limit
  const std::string& upload_hours() const { return text(Option::UPLOAD_HOURS); }
  uint64_t max_staged() const { return size(Option::MAX_STAGED); }             // 0: no cap
  uint64_t max_stage_write() const { return count(Option::MAX_STAGE_WRITE); }  // 0: no cap
  double free_space_ratio() const;                                             // 0 to below 1
  bool meta_batch() const { return text(Option::META) == "batch"; }
  unsigned max_uploads() const {
    return static_cast<unsigned>(count(Option::MAX_UPLOADS));
  }  // 1…4096
  Durability durability() const {
    const std::string& tier = text(Option::DURABILITY);
    return parse_durability({tier.data(), tier.size()});
  }
  bool durability_is_default() const { return is_default(Option::DURABILITY); }
  const std::string& metrics_address() const { return text(Option::METRICS); }  // empty: off
  const std::string& s3_addressing() const { return text(Option::S3_ADDRESSING); }
  const std::string& s3_checksum() const { return text(Option::S3_CHECKSUM); }
  bool s3_anonymous() const { return text(Option::S3_ANONYMOUS) == "1"; }
  const std::string& log_level() const { return text(Option::LOG); }
  const std::string& log_file() const { return text(Option::LOG_FILE); }
  bool disabled() const { return text(Option::DISABLE) == "1"; }

  uint64_t duration_ms(Option option) const;
  uint64_t size(Option option) const;
  uint64_t count(Option option) const;

 private:
  friend class ConfigLoader;
  std::array<Setting, kOptionCount> settings_;
};

// Names of one option: "--upload-delay" without its dashes, "upload_delay", "WBSHIM_UPLOAD_DELAY".
std::string flag_name(Option option);
std::string file_key(Option option);
std::string environment_name(Option option);

// The default as people write it: "<staging>/store" where the table has $STAGING.
std::string fallback_text(Option option);

// Every option, in the order of the table.
std::vector<Option> all_options();

// The command line of a program that takes options only: --name value or --name=value. The error is
// the line for the user.
Result<std::vector<Flag>> parse_flags(int argc, const char* const* argv);

// Variables that begin with WBSHIM_ and are no options. Each is private to wbshim's own parts.
bool is_private_variable(std::string_view name);
// The uploader's, for tests: "fanotify" or "inotify" tells of the staging tree's changes.
inline constexpr char kWatchVariable[] = "WBSHIM_WATCH_BY";

}  // namespace wbshim
