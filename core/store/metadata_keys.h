// Keys from what runs beside us: the agent of a container (ECS, EKS), the metadata of an EC2
// instance (IMDS, version 2 only). Proxies are passed over: both are of this machine.
#pragma once

#include <optional>
#include <string>

#include "core/store/aws_files.h"
#include "core/store/aws_keys.h"
#include "core/store/aws_world.h"

namespace wbshim {

inline constexpr uint64_t kContainerLimit_ms = 2000;
inline constexpr uint64_t kInstanceLimit_ms = 1000;  // each of three requests

struct ContainerPlace {
  std::string url;
  std::string from;  // the variable's name
};

// By AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI; nothing when neither is set. The error: a
// place to which the authorization token must not be sent.
Result<std::optional<ContainerPlace>> container_place(const AwsFiles& files);

// Authorized by AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, read anew, or AWS_CONTAINER_AUTHORIZATION_TOKEN.
Result<AwsKeys> container_keys(const ContainerPlace& place, const std::string& ca_file,
                               const AwsFiles& files, const AwsWorld& world);

// AWS_EC2_METADATA_DISABLED=true
bool instance_disabled(const AwsFiles& files);

Result<AwsKeys> instance_keys(const AwsFiles& files, const AwsWorld& world);

}  // namespace wbshim
