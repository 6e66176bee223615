#include "core/store/aws_files.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "core/store/file_io.h"
#include "core/util/ascii.h"
#include "core/util/display.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

constexpr size_t kMaxFile = size_t{4} * 1024 * 1024;

std::string config_section(const std::string& profile) {
  return profile == "default" ? profile : "profile " + profile;
}

Status read_sections(const std::string& path, const std::string& shown, const char* variable,
                     ProfileFile* out) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  const int error = fd ? read_all(fd.get(), kMaxFile, &text) : errno;
  if (error == ENOENT || error == ENOTDIR || error == EISDIR) return Ok{};  // as if it were empty
  if (error != 0) {
    return Error{"cannot read " + printable(shown) + " (" + variable + "): " + strerror(error) +
                 "; make it readable or set the AWS_ variables"};
  }
  *out = parse_profile_file(text);
  return Ok{};
}

}  // namespace

std::string AwsFiles::Section::get(const std::string& key) const {
  if (keys == nullptr) return {};
  const auto at = keys->find(key);
  return at == keys->end() ? "" : at->second;
}

std::string AwsFiles::variable(const char* name) const {
  const char* value = environment_(name);
  // A secret pasted or read from a file often ends with a newline; none begins or ends with a
  // blank.
  return value == nullptr ? std::string() : std::string(trim(value, " \t\r\n"));
}

std::string AwsFiles::home_path(const std::string& path) const {
  if (path.empty() || path[0] != '~' || (path.size() > 1 && path[1] != '/')) return path;
  return variable("HOME") + path.substr(1);
}

Result<AwsFiles> AwsFiles::read(const Environment& environment) {
  AwsFiles out;
  out.environment_ = environment;
  out.profile_ = out.variable("AWS_PROFILE");
  if (out.profile_.empty()) out.profile_ = out.variable("AWS_DEFAULT_PROFILE");
  out.profile_named_ = !out.profile_.empty();
  if (!out.profile_named_) out.profile_ = "default";
  struct Row {
    File& file;
    const char* variable;
    const char* usual;
  };
  for (const Row& row : {Row{out.credentials_, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"},
                         Row{out.config_, "AWS_CONFIG_FILE", "~/.aws/config"}}) {
    row.file.path = out.variable(row.variable);
    if (row.file.path.empty()) row.file.path = row.usual;
    const std::string path = out.home_path(row.file.path);
    if (auto done = read_sections(path, row.file.path, row.variable, &row.file.sections); !done)
      return done.error();
  }
  return out;
}

AwsFiles::Section AwsFiles::section(const File& file, const std::string& name) const {
  Section out;
  out.name = printable(file.path + " [" + name + "]");
  const auto at = file.sections.find(name);
  if (at != file.sections.end()) out.keys = &at->second;
  return out;
}

AwsFiles::Section AwsFiles::in_credentials(const std::string& profile) const {
  return section(credentials_, profile);
}
AwsFiles::Section AwsFiles::in_config(const std::string& profile) const {
  return section(config_, config_section(profile));
}

bool AwsFiles::has(const std::string& profile) const {
  return in_credentials(profile).keys != nullptr || in_config(profile).keys != nullptr;
}

std::string AwsFiles::paths() const {
  return printable(credentials_.path + " or " + config_.path);
}

AwsFiles::Value AwsFiles::value(const std::string& profile, const std::string& key) const {
  for (const Section& each : {in_credentials(profile), in_config(profile)}) {
    std::string text = each.get(key);
    if (!text.empty()) return {std::move(text), each.name};
  }
  return {};
}

AwsFiles::Value AwsFiles::endpoint(const std::string& service) const {
  if (variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true") return {};
  std::string own = "AWS_ENDPOINT_URL_";
  for (const char c : service) own += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  for (const std::string& name : {own, std::string("AWS_ENDPOINT_URL")}) {
    std::string text = variable(name.c_str());
    if (!text.empty()) return {std::move(text), name};
  }
  const Section config = in_config(profile_);
  std::string text = section(config_, "services " + config.get("services"))
                         .get(std::string(service).append(".endpoint_url"));
  if (text.empty()) text = config.get("endpoint_url");
  if (text.empty()) return {};
  return {std::move(text), config.name};
}

}  // namespace wbshim
