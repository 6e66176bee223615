// The keys that a profile of the shared files names, directly or by what gives them.
#pragma once

#include <optional>

#include "core/store/key_source.h"

namespace wbshim {

// Of AWS_PROFILE, in the order of botocore: role_arn with source_profile or credential_source;
// role_arn with web_identity_token_file; keys in the credentials file; credential_process; keys in
// the config file. Nothing when the profile has none of these.
Result<std::optional<KeySource>> profile_source(const AwsFiles& files);

// What credential_source names, and choose_key_source() asks, too.
Result<std::optional<KeySource>> variable_keys(const AwsFiles& files);
Result<std::optional<KeySource>> container_source(const AwsFiles& files);

}  // namespace wbshim
