#include "core/store/s3_message.h"

#include "core/util/display.h"

namespace wbshim {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

constexpr char kUnsigned[] = "an unsigned request (WBSHIM_S3_ANONYMOUS=1)";

// The server's text as part of our sentence.
std::string clause(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

std::string S3Messages::without_secrets(std::string text) const {
  for (const std::string* secret : {&aws_.keys.secret, &aws_.keys.token}) {
    if (!secret->empty()) replace_all(text, *secret, "***");
  }
  return printable(text);
}

std::string S3Messages::filled(const std::string& mend, const std::string& bucket_region) const {
  std::string out = mend;
  if (aws_.keys.id.empty()) replace_all(out, "access key id '{id}' ({id_from})", kUnsigned);
  replace_all(out, "{bucket}", place_.bucket);
  replace_all(
      out, "{endpoint_from}",
      aws_.endpoint_from.empty() ? "set AWS_ENDPOINT_URL_S3 for another" : aws_.endpoint_from);
  replace_all(out, "{endpoint}", place_.endpoint);
  replace_all(out, "{id_from}", aws_.id_from);
  replace_all(out, "{secret_from}", aws_.secret_from);
  replace_all(out, "{id}", aws_.keys.id);
  replace_all(out, "{region}", aws_.region);
  const bool about_region = mend.find("AWS_REGION") != std::string::npos;
  if (about_region && !bucket_region.empty()) out += " to '" + bucket_region + "'";
  return out;
}

std::string S3Messages::other(const std::string& what, const std::string& why) const {
  return without_secrets(place_.name() + ": " + what + ": " + why);
}

std::string S3Messages::refused(const std::string& what, const HttpAnswer& answer,
                                const S3Error& error, const S3Verdict& verdict) const {
  std::string id = error.request_id;
  if (id.empty()) id = answer.header("x-amz-request-id");
  std::string region = error.region;
  if (region.empty()) region = answer.header("x-amz-bucket-region");
  std::string out = place_.name() + ": " + what + " was answered " + std::to_string(answer.status);
  if (!error.code.empty()) out += " " + error.code;
  if (!id.empty()) out += ", request id " + id;
  if (!error.message.empty()) out += ": " + clause(error.message);
  if (error.code == "RequestTimeTooSkewed" && !answer.header("date").empty()) {
    out += " (the server's clock says " + std::string(answer.header("date")) + ")";
  }
  return without_secrets(out + "; " + filled(verdict.mend, region));
}

std::string S3Messages::failed(const std::string& what, const HttpAnswer& answer) const {
  const char* mend = "it will be tried again";
  if (answer.failure_class == "connect") {
    mend = "is the endpoint right ({endpoint_from}), and the network up?";
  } else if (answer.failure_class == "tls") {
    mend =
        "trust the server's certificate with AWS_CA_BUNDLE, or correct the endpoint "
        "({endpoint_from})";
  }
  return without_secrets(place_.name() + ": " + what +
                         " failed: " + clause(hide_logins(answer.failure))) +
         "; " + printable(filled(mend, ""));
}

}  // namespace wbshim
