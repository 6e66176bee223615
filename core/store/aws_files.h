// What every AWS tool reads first: variables of the environment, and profiles in two files.
//   profile   AWS_PROFILE, AWS_DEFAULT_PROFILE, else "default"
//   files     AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), and AWS_CONFIG_FILE
//             (~/.aws/config), in which the section of profile x is called "profile x"
// A variable that is empty counts as unset.
#pragma once

#include <functional>
#include <string>

#include "core/store/profile_file.h"
#include "core/util/result.h"

namespace wbshim {

// As getenv: nullptr when unset.
using Environment = std::function<const char*(const char* name)>;

class AwsFiles {
 public:
  // One profile in one file.
  struct Section {
    std::string get(const std::string& key) const;  // empty when there is none

    std::string name;  // for messages: "~/.aws/config [profile x]"
    const std::map<std::string, std::string>* keys = nullptr;  // none: it is not in the file
  };
  struct Value {
    explicit operator bool() const { return !text.empty(); }
    std::string text;
    std::string from;  // for messages: the section's name
  };

  // Reads both files anew. One that does not exist is empty.
  static Result<AwsFiles> read(const Environment& environment);

  std::string variable(const char* name) const;
  std::string home_path(const std::string& path) const;  // with ~ replaced

  const std::string& profile() const { return profile_; }
  bool profile_named() const { return profile_named_; }  // by a variable
  bool has(const std::string& profile) const;            // in either file
  std::string paths() const;                             // "~/.aws/credentials or ~/.aws/config"

  // Valid as long as this is.
  Section in_credentials(const std::string& profile) const;
  Section in_config(const std::string& profile) const;
  // From the credentials file, else from the config file.
  Value value(const std::string& profile, const std::string& key) const;
  // "s3" or "sts", where AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services or
  // its endpoint_url say it is; empty: at its own place.
  Value endpoint(const std::string& service) const;

 private:
  struct File {
    std::string path;
    ProfileFile sections;
  };
  Section section(const File& file, const std::string& name) const;

  Environment environment_;
  std::string profile_;
  bool profile_named_ = false;
  File credentials_;
  File config_;
};

}  // namespace wbshim
