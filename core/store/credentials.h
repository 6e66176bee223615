// Where the store finds its keys, region and endpoint: the names that every AWS tool uses.
//   keys      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY [, AWS_SESSION_TOKEN]; else the profile in
//             AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), else in AWS_CONFIG_FILE
//             (~/.aws/config)
//   profile   AWS_PROFILE, AWS_DEFAULT_PROFILE, else "default"
//   region    AWS_REGION, AWS_DEFAULT_REGION, the profile's region, else us-east-1
//   endpoint  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's services' s3 endpoint_url, the
//             profile's endpoint_url, else AWS's own. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true:
//             none
//   AWS's     AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT, else the profile's
//             use_dualstack_endpoint and use_fips_endpoint: true or false
//   trust     AWS_CA_BUNDLE, the profile's ca_bundle, else the system's
// An empty variable counts as unset. Roles, SSO, credential_process and instance metadata are not
// read yet; a profile that needs them is named in the error.
#pragma once

#include <functional>
#include <string>

#include "core/store/sigv4.h"
#include "core/util/result.h"

namespace wbshim {

// As getenv: nullptr when unset.
using Environment = std::function<const char*(const char* name)>;

struct AwsSettings {
  sigv4::Keys keys;
  // For messages: "AWS_ACCESS_KEY_ID", "aws_access_key_id in ~/.aws/credentials [default]" …
  std::string id_from;
  std::string secret_from;
  std::string region;
  std::string endpoint;       // empty: AWS
  std::string endpoint_from;  // "AWS_ENDPOINT_URL_S3" …; empty like the endpoint
  std::string ca_file;        // empty: the system's
  bool dual_stack = false;    // of AWS's own endpoints
  bool fips = false;
};

// Reads the files anew each time, so that rotated keys are found.
Result<AwsSettings> load_aws_settings(const Environment& environment);

}  // namespace wbshim
