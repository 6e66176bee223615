#include <algorithm>

#include "core/store/endpoint.h"
#include "core/store/metadata_keys.h"
#include "core/util/ascii.h"
#include "core/util/display.h"
#include "core/util/json.h"

namespace wbshim {
namespace {

constexpr char kEndpoint[] = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
constexpr char kRoles[] = "/latest/meta-data/iam/security-credentials/";
constexpr char kLifeOfToken_s[] = "21600";

std::string base_url(const AwsFiles& files) {
  std::string url = files.variable(kEndpoint);
  const bool six = lower_case(files.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")) == "ipv6";
  if (url.empty()) url = six ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

// As tokens and names of roles are; no document.
bool plain(std::string_view text) {
  return !text.empty() && text[0] != '<' && text[0] != '{' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7f'; });
}

class Instance {
 public:
  Instance(std::string url, const AwsWorld& world) : url_(std::move(url)), world_(world) {}

  Result<AwsKeys> keys() {
    auto token = ask_word("PUT", "/latest/api/token",
                          {"x-aws-ec2-metadata-token-ttl-seconds", kLifeOfToken_s}, "a token");
    if (!token) return token.error();
    const sigv4::Pair known = {"x-aws-ec2-metadata-token", token.value()};
    auto role = ask_word("GET", kRoles, known, "the name of its role");
    if (!role) return role.error();
    auto text = ask("GET", kRoles + role.value(), known, "the keys of its role");
    if (!text) return text.error();
    const auto json = Json::parse(text.value());
    const std::string code = json ? json->text_of("Code", "Success") : "Success";
    if (code != "Success") {
      return wrong("keys of role " + printable(role.value()) + ": it says " + printable(code) +
                   "; correct the instance's profile");
    }
    auto keys = keys_of_json(text.value(), "Token", world_.now_ms());
    if (!keys) return wrong("keys of role " + printable(role.value()) + ": " + keys.message());
    keys.value().id_from = keys.value().secret_from =
        "the instance's role " + printable(role.value()) + " (IMDS)";
    return keys;
  }

 private:
  Error wrong(const std::string& why) const {
    return Error{"the instance's metadata at " + printable(hide_secrets(url_)) + ": " + why};
  }

  Result<std::string> ask(const char* method, const std::string& path, const sigv4::Pair& header,
                          const std::string& what) {
    HttpAnswer answer =
        world_.ask({method, url_ + path, {header}, nullptr}, {kInstanceLimit_ms, true, ""});
    if (!answer.failure_class.empty())
      return wrong("no answer (" + printable(hide_logins(answer.failure)) + ")");
    if (answer.status == 404 && path == kRoles)
      return wrong("the instance has no role; give it a profile with one");
    if (answer.status == 200) return std::move(answer.body);
    return wrong("asked for " + what + " it answered " + std::to_string(answer.status));
  }

  // The first line of the answer.
  Result<std::string> ask_word(const char* method, const std::string& path,
                               const sigv4::Pair& header, const std::string& what) {
    auto answer = ask(method, path, header, what);
    if (!answer) return answer;
    const std::string_view text = trim(answer.value(), " \t\r\n");
    std::string word(text.substr(0, text.find_first_of("\r\n")));
    if (plain(word)) return word;
    return wrong("asked for " + what + " it answered something else");
  }

  std::string url_;
  const AwsWorld& world_;
};

}  // namespace

bool instance_disabled(const AwsFiles& files) {
  return lower_case(files.variable("AWS_EC2_METADATA_DISABLED")) == "true";
}

Result<AwsKeys> instance_keys(const AwsFiles& files, const AwsWorld& world) {
  const std::string url = base_url(files);
  if (auto parsed = parse_endpoint(url); !parsed) {
    return Error{"the instance's metadata at '" + printable(hide_secrets(url)) + "' (" + kEndpoint +
                 ") " + parsed.message() + "; correct it"};
  }
  return Instance(url, world).keys();
}

}  // namespace wbshim
