// The one line that a user reads when S3 did not do what it was asked.
#pragma once

#include <string>

#include "core/store/credentials.h"
#include "core/store/http.h"
#include "core/store/s3_error.h"
#include "core/store/s3_place.h"

namespace wbshim {

class S3Messages {
 public:
  S3Messages(const S3Place& place, const AwsSettings& aws) : place_(place), aws_(aws) {}

  // "s3://b at http://h: PUT 'k' was answered 403 AccessDenied, request id r: <server's text>;
  // <mend>"
  std::string refused(const std::string& what, const HttpAnswer& answer, const S3Error& error,
                      const S3Verdict& verdict) const;
  // No answer, or none that could be read to its end.
  std::string failed(const std::string& what, const HttpAnswer& answer) const;
  // Anything else: "s3://b at http://h: <what>: <why>"
  std::string other(const std::string& what, const std::string& why) const;

 private:
  std::string filled(const std::string& mend, const std::string& bucket_region) const;
  std::string without_secrets(std::string text) const;

  const S3Place& place_;
  const AwsSettings& aws_;
};

}  // namespace wbshim
