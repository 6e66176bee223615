// AWS' Security Token Service: keys of a role, for a token or for other keys.
#pragma once

#include <string>

#include "core/store/aws_keys.h"
#include "core/store/aws_world.h"

namespace wbshim {

inline constexpr uint64_t kStsLimit_ms = 10000;

struct Role {
  std::string arn;
  std::string session;  // its name in AWS' logs; empty: one of ours
  std::string external_id;
  std::string duration_s;  // empty: an hour
  std::string from;        // "AWS_ROLE_ARN", "role_arn in ~/.aws/config [profile x]"
};

// Where STS is, and how it is reached.
struct StsPlace {
  std::string url;       // empty: AWS' of the region
  std::string url_from;  // "AWS_ENDPOINT_URL_STS" …
  std::string region;
  std::string ca_file;
};

// AssumeRole, signed with `base`.
Result<AwsKeys> assume_role(const Role& role, const AwsKeys& base, const StsPlace& place,
                            const AwsWorld& world);

// AssumeRoleWithWebIdentity, unsigned. token_file is read anew: it is renewed by others.
Result<AwsKeys> assume_role_with_token(const Role& role, const std::string& token_file,
                                       const StsPlace& place, const AwsWorld& world);

}  // namespace wbshim
