// Which of the places that AWS tools know gives the keys: decided by variables and files alone,
// nobody is asked yet.
#pragma once

#include <memory>
#include <string>

#include "core/store/aws_files.h"
#include "core/store/aws_keys.h"
#include "core/store/metadata_keys.h"
#include "core/store/sts.h"

namespace wbshim {

struct KeySource {
  enum class Kind {
    Given,        // keys
    Process,      // command
    WebIdentity,  // role, token_file
    Role,         // role, base
    Container,    // container
    Instance,
  };
  Kind kind = Kind::Given;
  AwsKeys keys;
  std::string command;
  std::string from;  // of the command
  Role role;
  std::string token_file;
  std::shared_ptr<const KeySource> base;  // whose keys sign for the role
  ContainerPlace container;
  std::string otherwise;  // of Instance: the line when no instance answers
};

// The first of: AWS_ACCESS_KEY_ID …; AWS_WEB_IDENTITY_TOKEN_FILE; the profile (its role, its web
// identity, its keys, its credential_process); the container's agent; the instance's metadata. The
// error is the one line for the user.
Result<KeySource> choose_key_source(const AwsFiles& files);

}  // namespace wbshim
