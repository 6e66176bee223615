#include "core/store/sts.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "core/store/crypto.h"
#include "core/store/endpoint.h"
#include "core/store/file_io.h"
#include "core/store/s3_error.h"
#include "core/util/ascii.h"
#include "core/util/display.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

constexpr size_t kMaxToken = size_t{20} * 1024;  // STS takes no longer one
constexpr char kForm[] = "application/x-www-form-urlencoded; charset=utf-8";

using Fields = std::vector<sigv4::Pair>;

std::string shown(const Role& role) {
  return "role " + printable(role.arn) + " (" + role.from + ")";
}

Result<Endpoint> place_of(const StsPlace& place) {
  if (place.url.empty()) {
    const bool china = place.region.rfind("cn-", 0) == 0;
    return Endpoint{
        "https", "sts." + place.region + (china ? ".amazonaws.com.cn" : ".amazonaws.com"), "", ""};
  }
  auto parsed = parse_endpoint(place.url);
  if (parsed) return parsed;
  return Error{"the endpoint of STS '" + printable(hide_secrets(place.url)) + "' (" +
               place.url_from + ") " + parsed.message() + "; correct it"};
}

Fields fields_of(const Role& role, const char* action, uint64_t now_ms) {
  const std::string session =
      role.session.empty() ? "wbshim-" + std::to_string(now_ms / 1000) : role.session;
  Fields out = {{"Action", action}, {"Version", "2011-06-15"}};
  out.emplace_back("RoleArn", role.arn);
  out.emplace_back("RoleSessionName", session);
  if (!role.external_id.empty()) out.emplace_back("ExternalId", role.external_id);
  if (!role.duration_s.empty()) out.emplace_back("DurationSeconds", role.duration_s);
  return out;
}

// What STS says of a refusal. It knows the token, and may quote it.
std::string refusal(const HttpAnswer& answer, const std::string& secret) {
  const S3Error error = parse_s3_error(answer.body);
  std::string out = "answered " + std::to_string(answer.status);
  if (!error.code.empty()) out += " " + error.code;
  if (!error.request_id.empty()) out += ", request id " + error.request_id;
  std::string message = error.message;
  while (!message.empty() && message.back() == '.') message.pop_back();
  const size_t quoted = secret.empty() ? std::string::npos : message.find(secret);
  if (quoted != std::string::npos) message.replace(quoted, secret.size(), "***");
  if (!message.empty()) out += ": " + without_key_like_words(message);
  return printable(out);
}

// signer: of keys without an id when the request goes unsigned.
Result<AwsKeys> ask(const Role& role, const Fields& fields, sigv4::Signer signer,
                    const std::string& secret, const StsPlace& place, const AwsWorld& world) {
  auto endpoint = place_of(place);
  if (!endpoint) return endpoint.error();
  const Endpoint& at = endpoint.value();
  const auto body = std::make_shared<const std::string>(sigv4::canonical_query(fields));
  sigv4::Request request;
  request.method = "POST";
  request.path = at.path + "/";
  request.headers = {{"content-type", kForm}, {"host", at.authority()}};
  request.payload_hash = sha256_hex(*body);
  signer.sign(request, world.now_ms());
  const std::string origin = at.scheme + "://" + at.authority();
  HttpRequest http;
  http.method = request.method;
  http.url = origin + request.path;
  http.headers = std::move(request.headers);
  http.body = body;
  const HttpAnswer answer =
      world.ask(std::move(http), {kStsLimit_ms, is_loopback(at.host), place.ca_file});
  const std::string what = "STS at " + origin;
  if (!answer.failure_class.empty()) {
    return Error{
        "keys of " + shown(role) + ": " + what + " did not answer (" +
        printable(hide_logins(answer.failure)) + "); is the endpoint right (" +
        (place.url_from.empty() ? "set AWS_ENDPOINT_URL_STS for another" : place.url_from) +
        "), and the network up?"};
  }
  if (answer.status != 200) {
    return Error{"keys of " + shown(role) + ": " + what + " " + refusal(answer, secret) +
                 "; correct the role, what may take it on, or what it is asked with"};
  }
  auto keys = keys_of_sts(answer.body, world.now_ms());
  if (!keys) {
    return Error{"keys of " + shown(role) + ": " + what + ": " + keys.message() +
                 "; is the endpoint right?"};
  }
  keys.value().id_from = keys.value().secret_from = shown(role);
  return keys;
}

}  // namespace

Result<AwsKeys> assume_role(const Role& role, const AwsKeys& base, const StsPlace& place,
                            const AwsWorld& world) {
  return ask(role, fields_of(role, "AssumeRole", world.now_ms()),
             sigv4::Signer(base.keys, place.region, "sts"), base.keys.token, place, world);
}

Result<AwsKeys> assume_role_with_token(const Role& role, const std::string& token_file,
                                       const StsPlace& place, const AwsWorld& world) {
  const Fd fd(open(token_file.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  const int error = fd ? read_all(fd.get(), kMaxToken, &text) : errno;
  const std::string token(trim(text, " \t\r\n"));
  if (error != 0 || token.empty()) {
    return Error{"keys of " + shown(role) + ": the token file '" + printable(token_file) + "' " +
                 (error != 0 ? std::string("cannot be read: ") + strerror(error) : "is empty") +
                 "; correct AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file"};
  }
  Fields fields = fields_of(role, "AssumeRoleWithWebIdentity", world.now_ms());
  fields.emplace_back("WebIdentityToken", token);
  return ask(role, fields, sigv4::Signer({}, place.region, "sts"), token, place, world);
}

}  // namespace wbshim
