// What is asked for with each new object (WBSHIM_S3_…), as headers. The same for a PUT and for the
// beginning of an upload in parts.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wbshim {

class Config;

// Empty: nothing is said about it. Checked by core/util/config_objects.cc.
struct ObjectOptions {
  std::string storage_class;
  std::string sse;  // "AES256" or "aws:kms"
  std::string kms_key;
  std::string acl;
  std::string tags;  // a=1&b=2
  std::string cache_control;

  void add_headers(std::vector<std::pair<std::string, std::string>>& headers) const;
  // "WBSHIM_S3_ACL, WBSHIM_S3_TAGS": those that are set, for people whose server refuses the object.
  std::string named() const;
};

ObjectOptions object_options(const Config& config);

// What the store's answer says about the encryption of what was put.
enum class Encryption {
  AsWished,
  NotSaid,  // AES256 was wished, and the answer says nothing of it: some servers accept and ignore it
  Other,    // another one, another key, or none instead of aws:kms
};
// header: an answer's, by its name in lower case.
Encryption encryption_of(const ObjectOptions& wished,
                         const std::function<std::string_view(std::string_view)>& header);

}  // namespace wbshim
