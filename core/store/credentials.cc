#include "core/store/credentials.h"

#include "core/store/key_source.h"
#include "core/util/ascii.h"

namespace wbshim {
namespace {

bool flag(const AwsFiles& files, const char* name, const std::string& key) {
  const AwsFiles::Section config = files.in_config(files.profile());
  std::string value = files.variable(name);
  if (value.empty()) value = config.get(key);
  if (value.empty()) value = config.get("s3." + key);
  return lower_case(value) == "true";
}

Result<AwsSettings> places(const AwsFiles& files) {
  AwsSettings out;
  const AwsFiles::Section config = files.in_config(files.profile());
  out.region = files.variable("AWS_REGION");
  if (out.region.empty()) out.region = files.variable("AWS_DEFAULT_REGION");
  if (out.region.empty()) out.region = config.get("region");
  if (out.region.empty()) out.region = files.in_credentials(files.profile()).get("region");
  if (out.region.empty()) out.region = "us-east-1";
  if (out.region.find_first_of(std::string("\r\n\0", 3)) != std::string::npos)
    return Error{"the AWS region holds a line break; correct AWS_REGION or the profile's region"};
  AwsFiles::Value endpoint = files.endpoint("s3");
  out.endpoint = std::move(endpoint.text);
  out.endpoint_from = std::move(endpoint.from);
  out.dual_stack = flag(files, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  out.fips = flag(files, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  out.ca_file = files.variable("AWS_CA_BUNDLE");
  if (out.ca_file.empty()) out.ca_file = files.home_path(config.get("ca_bundle"));
  return out;
}

class Search {
 public:
  Search(const AwsFiles& files, const AwsSettings& settings, const AwsWorld& world)
      : files_(files), settings_(settings), world_(world) {}

  Result<AwsKeys> keys(const KeySource& source) const {
    switch (source.kind) {
      case KeySource::Kind::Given:
        return given(source);
      case KeySource::Kind::Process:
        return keys_of_process(source.command, source.from, world_.now_ms(), world_.run);
      case KeySource::Kind::WebIdentity:
        return assume_role_with_token(source.role, source.token_file, sts(), world_);
      case KeySource::Kind::Role:
        return of_role(source);
      case KeySource::Kind::Container:
        return container_keys(source.container, settings_.ca_file, files_, world_);
      case KeySource::Kind::Instance:
        break;
    }
    auto found = instance_keys(files_, world_);
    if (found || source.otherwise.empty()) return found;
    return Error{source.otherwise + " (nor does an instance's role give any; " + found.message() +
                 ")"};
  }

  static Result<AwsKeys> given(const KeySource& source) {
    const std::string fault = fault_of(source.keys.keys);
    if (fault.empty()) return source.keys;
    return Error{"the AWS keys (" + source.keys.id_from + ") cannot be used: " + fault +
                 "; correct them"};
  }

 private:
  Result<AwsKeys> of_role(const KeySource& source) const {
    auto base = keys(*source.base);
    if (!base) return base;
    return assume_role(source.role, base.value(), sts(), world_);
  }

  StsPlace sts() const {
    AwsFiles::Value endpoint = files_.endpoint("sts");
    return {std::move(endpoint.text), std::move(endpoint.from), settings_.region,
            settings_.ca_file};
  }

  const AwsFiles& files_;
  const AwsSettings& settings_;
  const AwsWorld& world_;
};

Result<AwsSettings> with(AwsSettings settings, Result<AwsKeys> keys) {
  if (!keys) return keys.error();
  static_cast<AwsKeys&>(settings) = std::move(keys.value());
  return settings;
}

}  // namespace

Result<AwsSettings> load_aws_places(const Environment& environment) {
  auto files = AwsFiles::read(environment);
  if (!files) return files.error();
  return places(files.value());
}

Result<AwsSettings> load_aws_settings(const AwsWorld& world) {
  auto files = AwsFiles::read(world.environment);
  if (!files) return files.error();
  auto settings = places(files.value());
  if (!settings) return settings;
  auto source = choose_key_source(files.value());
  if (!source) return source.error();
  auto keys = Search(files.value(), settings.value(), world).keys(source.value());
  return with(std::move(settings.value()), std::move(keys));
}

Result<std::optional<AwsSettings>> load_given_keys(const Environment& environment) {
  auto files = AwsFiles::read(environment);
  if (!files) return files.error();
  auto settings = places(files.value());
  if (!settings) return settings.error();
  auto source = choose_key_source(files.value());
  if (!source) return source.error();
  if (source.value().kind != KeySource::Kind::Given) return std::optional<AwsSettings>();
  auto whole = with(std::move(settings.value()), Search::given(source.value()));
  if (!whole) return whole.error();
  return std::optional(std::move(whole.value()));
}

}  // namespace wbshim
