// Where the store finds its keys, region and endpoint: the names that every AWS tool uses, in their
// order.
//   keys      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY [, AWS_SESSION_TOKEN]; else a role for the
//             token in AWS_WEB_IDENTITY_TOKEN_FILE (AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME); else the
//             profile's (profile_keys.h: roles, keys, credential_process); else the container's
//             agent; else the instance's metadata (metadata_keys.h). Single sign-on and roles that
//             want a device's code are refused by name.
//   profile   AWS_PROFILE, AWS_DEFAULT_PROFILE, else "default" (aws_files.h)
//   region    AWS_REGION, AWS_DEFAULT_REGION, the profile's region, else us-east-1
//   endpoint  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's services' s3 endpoint_url, the
//             profile's endpoint_url, else AWS's own; of STS the same with STS and sts.
//             AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true: none
//   AWS's     AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT, else the profile's
//             use_dualstack_endpoint and use_fips_endpoint: true or false
//   trust     AWS_CA_BUNDLE, the profile's ca_bundle, else the system's
#pragma once

#include <optional>
#include <string>

#include "core/store/aws_files.h"
#include "core/store/aws_keys.h"
#include "core/store/aws_world.h"
#include "core/util/result.h"

namespace wbshim {

struct AwsSettings : AwsKeys {
  std::string region;
  std::string endpoint;       // empty: AWS
  std::string endpoint_from;  // "AWS_ENDPOINT_URL_S3" …; empty like the endpoint
  std::string ca_file;        // empty: the system's
  bool dual_stack = false;    // of AWS's own endpoints
  bool fips = false;
};

// All but the keys. Files are read anew, nobody is asked.
Result<AwsSettings> load_aws_places(const Environment& environment);

// With the keys. Files are read anew, so that rotated keys are found; for keys that are not in them
// programs run and services are asked, each within its limit. The error is the user's line.
Result<AwsSettings> load_aws_settings(const AwsWorld& world);

// The same when the keys are in variables or files. Nothing when only load_aws_settings() finds
// them.
Result<std::optional<AwsSettings>> load_given_keys(const Environment& environment);

}  // namespace wbshim
