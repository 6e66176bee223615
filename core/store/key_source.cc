#include "core/store/key_source.h"

#include "core/store/profile_keys.h"
#include "core/util/display.h"

namespace wbshim {
namespace {

std::string no_keys(const AwsFiles& files) {
  return "no credentials for s3://: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
         "aws_access_key_id and aws_secret_access_key in " +
         files.in_credentials(files.profile()).name;
}

}  // namespace

Result<std::optional<KeySource>> variable_keys(const AwsFiles& files) {
  KeySource out;
  out.keys.keys = {files.variable("AWS_ACCESS_KEY_ID"), files.variable("AWS_SECRET_ACCESS_KEY"),
                   files.variable("AWS_SESSION_TOKEN")};
  const bool id = !out.keys.keys.id.empty(), secret = !out.keys.keys.secret.empty();
  if (!id && !secret) return std::optional<KeySource>();
  if (id != secret) {
    return Error{std::string(secret ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID") +
                 " is set and not " + (secret ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY") +
                 "; set both, or neither to use " + files.in_credentials(files.profile()).name};
  }
  out.keys.id_from = "AWS_ACCESS_KEY_ID";
  out.keys.secret_from = "AWS_SECRET_ACCESS_KEY";
  return std::optional(std::move(out));
}

Result<std::optional<KeySource>> container_source(const AwsFiles& files) {
  auto place = container_place(files);
  if (!place) return place.error();
  if (!place.value()) return std::optional<KeySource>();
  KeySource out;
  out.kind = KeySource::Kind::Container;
  out.container = std::move(*place.value());
  return std::optional(std::move(out));
}

Result<KeySource> choose_key_source(const AwsFiles& files) {
  auto found = variable_keys(files);
  if (!found) return found.error();
  if (found.value()) return std::move(*found.value());

  KeySource out;
  out.token_file = files.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  out.role.arn = files.variable("AWS_ROLE_ARN");
  if (!out.token_file.empty() && !out.role.arn.empty()) {
    out.kind = KeySource::Kind::WebIdentity;
    out.role.session = files.variable("AWS_ROLE_SESSION_NAME");
    out.role.from = "AWS_WEB_IDENTITY_TOKEN_FILE";
    return out;
  }

  if (files.profile_named() && !files.has(files.profile())) {
    return Error{"there is no profile '" + printable(files.profile()) + "' (AWS_PROFILE) in " +
                 files.paths() +
                 "; correct AWS_PROFILE or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"};
  }
  for (const auto look : {profile_source, container_source}) {
    found = look(files);
    if (!found) return found.error();
    if (found.value()) return std::move(*found.value());
  }
  if (!out.token_file.empty()) {
    return Error{
        "AWS_WEB_IDENTITY_TOKEN_FILE is set and not AWS_ROLE_ARN; set the role that the token is "
        "for"};
  }
  if (instance_disabled(files)) return Error{no_keys(files)};
  out.kind = KeySource::Kind::Instance;
  out.otherwise = no_keys(files);
  return out;
}

}  // namespace wbshim
