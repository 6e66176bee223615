#include "core/store/profile_keys.h"

#include <algorithm>
#include <vector>

#include "core/util/display.h"

namespace wbshim {
namespace {

using Found = Result<std::optional<KeySource>>;
using Visited = std::vector<std::string>;  // profiles on the way to this one

const Found kNothing = std::optional<KeySource>();

Found profile_source(const AwsFiles& files, const std::string& profile, Visited visited);

Found keys_in(const AwsFiles::Section& section) {
  KeySource out;
  out.keys.keys = {section.get("aws_access_key_id"), section.get("aws_secret_access_key"),
                   section.get("aws_session_token")};
  const bool id = !out.keys.keys.id.empty(), secret = !out.keys.keys.secret.empty();
  if (!id && !secret) return std::optional<KeySource>();
  if (id != secret) {
    return Error{section.name + " has no " + (id ? "aws_secret_access_key" : "aws_access_key_id") +
                 "; add it"};
  }
  out.keys.id_from = "aws_access_key_id in " + section.name;
  out.keys.secret_from = "aws_secret_access_key in " + section.name;
  return std::optional(std::move(out));
}

Role role_of(const AwsFiles& files, const std::string& profile) {
  const AwsFiles::Value arn = files.value(profile, "role_arn");
  Role out;
  out.arn = arn.text;
  out.from = "role_arn in " + arn.from;
  out.session = files.value(profile, "role_session_name").text;
  out.external_id = files.value(profile, "external_id").text;
  out.duration_s = files.value(profile, "duration_seconds").text;
  return out;
}

// credential_source: what signs for the role is no profile's.
Found named_source(const AwsFiles& files, const AwsFiles::Value& value) {
  Found out = kNothing;
  if (value.text == "Environment") {
    out = variable_keys(files);
  } else if (value.text == "EcsContainer") {
    out = container_source(files);
  } else if (value.text == "Ec2InstanceMetadata") {
    KeySource instance;
    instance.kind = KeySource::Kind::Instance;
    out = std::optional(std::move(instance));
  } else {
    return Error{"credential_source in " + value.from + " is '" + printable(value.text) +
                 "'; use Environment, Ec2InstanceMetadata or EcsContainer"};
  }
  if (out && !out.value()) {
    return Error{"credential_source in " + value.from + " is " + value.text +
                 ", which has no keys; set its variables or name another source"};
  }
  return out;
}

// The keys that sign for the role of `profile`.
Found base_of(const AwsFiles& files, const std::string& profile, const AwsFiles::Value& source,
              Visited visited) {
  const auto wrong = [&](const std::string& why) {
    return Error{"source_profile in " + source.from + ": " + why};
  };
  if (source.text == profile) {  // its own keys
    for (const auto& section : {files.in_credentials(profile), files.in_config(profile)}) {
      Found found = keys_in(section);
      if (!found || found.value()) return found;
    }
    return wrong("the profile names itself and has no aws_access_key_id; add it");
  }
  if (!files.has(source.text))
    return wrong("there is no profile '" + printable(source.text) + "'; correct it");
  visited.push_back(profile);
  if (std::find(visited.begin(), visited.end(), source.text) != visited.end()) {
    std::string way;
    for (const std::string& each : visited) way += printable(each) + ", ";
    return wrong("the profiles go round in a circle (" + way + printable(source.text) +
                 "); one of them must have keys");
  }
  // A source's own keys count before its role, which would be another's.
  for (const auto& section : {files.in_credentials(source.text), files.in_config(source.text)}) {
    Found found = keys_in(section);
    if (!found || found.value()) return found;
  }
  Found found = profile_source(files, source.text, std::move(visited));
  if (found && !found.value())
    return wrong("the profile '" + printable(source.text) + "' has no keys; add them");
  return found;
}

Found role_source(const AwsFiles& files, const std::string& profile, Visited visited) {
  KeySource out;
  out.kind = KeySource::Kind::Role;
  out.role = role_of(files, profile);
  const auto wrong = [&](const std::string& why) { return Error{out.role.from + " " + why}; };
  if (files.value(profile, "mfa_serial")) {
    return wrong(
        "wants a code of a device (mfa_serial), for which wbshim cannot ask; set "
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (aws configure "
        "export-credentials --format env prints them)");
  }
  const AwsFiles::Value source = files.value(profile, "source_profile");
  const AwsFiles::Value named = files.value(profile, "credential_source");
  if (source && named) return wrong("has source_profile and credential_source; remove one");
  if (!source && !named)
    return wrong("has neither source_profile nor credential_source; add one of them");
  Found base =
      source ? base_of(files, profile, source, std::move(visited)) : named_source(files, named);
  if (!base) return base;
  out.base = std::make_shared<const KeySource>(std::move(*base.value()));
  return std::optional(std::move(out));
}

Found process_source(const AwsFiles::Value& command) {
  KeySource out;
  out.kind = KeySource::Kind::Process;
  out.command = command.text;
  out.from = command.from;
  return std::optional(std::move(out));
}

// Single sign-on needs a browser.
Found refuse_sign_on(const AwsFiles& files, const std::string& profile) {
  for (const char* key : {"sso_session", "sso_start_url", "login_session"}) {
    const AwsFiles::Value value = files.value(profile, key);
    if (!value) continue;
    return Error{"the profile " + value.from + " gets its keys by " + key +
                 ", which wbshim cannot do yet; set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                 "AWS_SESSION_TOKEN, or a credential_process in another profile (aws configure "
                 "export-credentials prints them)"};
  }
  return std::optional<KeySource>();
}

Found profile_source(const AwsFiles& files, const std::string& profile, Visited visited) {
  const AwsFiles::Value token_file = files.value(profile, "web_identity_token_file");
  if (files.value(profile, "role_arn")) {
    if (!token_file) return role_source(files, profile, std::move(visited));
    KeySource out;
    out.kind = KeySource::Kind::WebIdentity;
    out.role = role_of(files, profile);
    out.token_file = files.home_path(token_file.text);
    return std::optional(std::move(out));
  }
  Found found = keys_in(files.in_credentials(profile));
  if (!found || found.value()) return found;
  if (const AwsFiles::Value command = files.value(profile, "credential_process"))
    return process_source(command);
  found = keys_in(files.in_config(profile));
  if (!found || found.value()) return found;
  return refuse_sign_on(files, profile);
}

}  // namespace

Found profile_source(const AwsFiles& files) {
  return profile_source(files, files.profile(), {});
}

}  // namespace wbshim
