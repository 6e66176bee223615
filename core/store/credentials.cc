#include "core/store/credentials.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "core/store/file_io.h"
#include "core/store/profile_file.h"
#include "core/util/ascii.h"
#include "core/util/display.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

constexpr size_t kMaxFile = size_t{4} * 1024 * 1024;

using Section = std::map<std::string, std::string>;

struct Source {
  std::string path;     // to open
  std::string profile;  // the section's name in this file
  Section section;
  bool found = false;

  std::string name() const { return printable(path + " [" + profile + "]"); }
  std::string get(const std::string& key) const {
    const auto at = section.find(key);
    return at == section.end() ? "" : at->second;
  }
};

class Loader {
 public:
  explicit Loader(const Environment& environment) : environment_(environment) {}
  Result<AwsSettings> load();

 private:
  std::string variable(const char* name) const;
  std::string home_path(const std::string& path) const;
  Status read(Source& source, const std::string& what, ProfileFile* whole);
  Status read_profiles();
  Status find_keys(AwsSettings& out) const;
  void find_region(AwsSettings& out) const;
  void find_endpoint(AwsSettings& out) const;
  bool flag(const char* name, const char* key) const;
  std::string no_keys() const;

  const Environment& environment_;
  std::string profile_;
  bool profile_named_ = false;  // by the user
  Source credentials_;
  Source config_;
  Section services_;  // of the profile, from the config file
};

std::string Loader::variable(const char* name) const {
  const char* value = environment_(name);
  if (value == nullptr) return {};
  std::string out(value);
  // A secret pasted or read from a file often ends with a newline; none begins or ends with a
  // blank.
  constexpr char kBlanks[] = " \t\r\n";
  out.erase(0, std::min(out.find_first_not_of(kBlanks), out.size()));
  out.erase(out.find_last_not_of(kBlanks) + 1);
  return out;
}

std::string Loader::home_path(const std::string& path) const {
  if (path.empty() || path[0] != '~' || (path.size() > 1 && path[1] != '/')) return path;
  return variable("HOME") + path.substr(1);
}

Status Loader::read(Source& source, const std::string& what, ProfileFile* whole) {
  Fd fd(open(home_path(source.path).c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  int error = fd ? read_all(fd.get(), kMaxFile, &text) : errno;
  if (error == ENOENT || error == ENOTDIR || error == EISDIR) return Ok{};  // as if it were empty
  if (error != 0) {
    return Error{"cannot read " + printable(source.path) + " (" + what + "): " + strerror(error) +
                 "; make it readable or set the AWS_ variables"};
  }
  *whole = parse_profile_file(text);
  const auto at = whole->find(source.profile);
  if (at != whole->end()) {
    source.section = at->second;
    source.found = true;
  }
  return Ok{};
}

Status Loader::read_profiles() {
  profile_ = variable("AWS_PROFILE");
  if (profile_.empty()) profile_ = variable("AWS_DEFAULT_PROFILE");
  profile_named_ = !profile_.empty();
  if (!profile_named_) profile_ = "default";

  credentials_.path = variable("AWS_SHARED_CREDENTIALS_FILE");
  if (credentials_.path.empty()) credentials_.path = "~/.aws/credentials";
  credentials_.profile = profile_;
  config_.path = variable("AWS_CONFIG_FILE");
  if (config_.path.empty()) config_.path = "~/.aws/config";
  config_.profile = profile_ == "default" ? profile_ : "profile " + profile_;

  ProfileFile whole;
  if (auto done = read(credentials_, "AWS_SHARED_CREDENTIALS_FILE", &whole); !done) return done;
  whole.clear();
  if (auto done = read(config_, "AWS_CONFIG_FILE", &whole); !done) return done;
  const auto services = whole.find("services " + config_.get("services"));
  if (services != whole.end()) services_ = services->second;
  return Ok{};
}

std::string Loader::no_keys() const {
  for (const Source* source : {&credentials_, &config_}) {
    for (const char* key : {"role_arn", "sso_session", "sso_start_url", "credential_process"}) {
      if (source->get(key).empty()) continue;
      return "the profile " + source->name() + " gets its keys by " + key +
             ", which wbshim cannot do yet; set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
             "AWS_SESSION_TOKEN (aws configure export-credentials --format env prints them)";
    }
  }
  if (profile_named_ && !credentials_.found && !config_.found) {
    return "there is no profile '" + printable(profile_) + "' (AWS_PROFILE) in " +
           printable(credentials_.path) + " or " + printable(config_.path) +
           "; correct AWS_PROFILE or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
  }
  return "no credentials for s3://: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
         "aws_access_key_id and aws_secret_access_key in " +
         credentials_.name();
}

Status Loader::find_keys(AwsSettings& out) const {
  const sigv4::Keys from_environment = {variable("AWS_ACCESS_KEY_ID"),
                                        variable("AWS_SECRET_ACCESS_KEY"),
                                        variable("AWS_SESSION_TOKEN")};
  if (from_environment.id.empty() != from_environment.secret.empty()) {
    const bool id = from_environment.id.empty();
    return Error{std::string(id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID") +
                 " is set and not " + (id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY") +
                 "; set both, or neither to use " + credentials_.name()};
  }
  if (!from_environment.id.empty()) {
    out.keys = from_environment;
    out.id_from = "AWS_ACCESS_KEY_ID";
    out.secret_from = "AWS_SECRET_ACCESS_KEY";
    return Ok{};
  }
  for (const Source* source : {&credentials_, &config_}) {
    const sigv4::Keys keys = {source->get("aws_access_key_id"),
                              source->get("aws_secret_access_key"),
                              source->get("aws_session_token")};
    if (keys.id.empty() && keys.secret.empty()) continue;
    if (keys.id.empty() || keys.secret.empty()) {
      return Error{source->name() + " has no " +
                   (keys.id.empty() ? "aws_access_key_id" : "aws_secret_access_key") + "; add it"};
    }
    out.keys = keys;
    out.id_from = "aws_access_key_id in " + source->name();
    out.secret_from = "aws_secret_access_key in " + source->name();
    return Ok{};
  }
  return Error{no_keys()};
}

void Loader::find_region(AwsSettings& out) const {
  out.region = variable("AWS_REGION");
  if (out.region.empty()) out.region = variable("AWS_DEFAULT_REGION");
  if (out.region.empty()) out.region = config_.get("region");
  if (out.region.empty()) out.region = credentials_.get("region");
  if (out.region.empty()) out.region = "us-east-1";
}

bool Loader::flag(const char* name, const char* key) const {
  std::string value = variable(name);
  if (value.empty()) value = config_.get(key);
  if (value.empty()) value = config_.get("s3." + std::string(key));
  return lower_case(value) == "true";
}

void Loader::find_endpoint(AwsSettings& out) const {
  out.dual_stack = flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  out.fips = flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  if (variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true") return;
  for (const char* name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    out.endpoint = variable(name);
    out.endpoint_from = name;
    if (!out.endpoint.empty()) return;
  }
  const auto service = services_.find("s3.endpoint_url");
  out.endpoint = service != services_.end() ? service->second : config_.get("endpoint_url");
  out.endpoint_from = out.endpoint.empty() ? "" : config_.name();
}

Result<AwsSettings> Loader::load() {
  if (auto done = read_profiles(); !done) return done.error();
  AwsSettings out;
  if (auto done = find_keys(out); !done) return done.error();
  find_region(out);
  find_endpoint(out);
  out.ca_file = variable("AWS_CA_BUNDLE");
  if (out.ca_file.empty()) out.ca_file = home_path(config_.get("ca_bundle"));
  for (const std::string* value : {&out.keys.id, &out.keys.secret, &out.keys.token, &out.region}) {
    const bool control = value->find_first_of(std::string("\r\n\0", 3)) != std::string::npos;
    if (control) return Error{"the AWS keys or region (" + out.id_from + ") hold a line break"};
  }
  return out;
}

}  // namespace

Result<AwsSettings> load_aws_settings(const Environment& environment) {
  return Loader(environment).load();
}

}  // namespace wbshim
