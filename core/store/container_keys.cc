#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/store/endpoint.h"
#include "core/store/file_io.h"
#include "core/store/metadata_keys.h"
#include "core/util/ascii.h"
#include "core/util/display.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

constexpr char kRelative[] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr char kFull[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr char kToken[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr char kTokenFile[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
constexpr char kAgent[] = "http://169.254.170.2";
constexpr size_t kMaxToken = size_t{64} * 1024;

bool is_printable_url(const std::string& url) {
  return std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c != '\x7f'; });
}

// Numbers only: "127.evil.example" is somebody else's.
bool loopback_address(const std::string& host) {
  return host == "localhost" || host == "[::1]" ||
         (host.rfind("127.", 0) == 0 && host.find_first_not_of("0123456789.") == std::string::npos);
}

bool may_be_asked(const Endpoint& at) {
  return at.scheme == "https" || loopback_address(at.host) || at.host == "169.254.170.2" ||
         at.host == "169.254.170.23" || at.host == "[fd00:ec2::23]";
}

// Empty: none is asked for.
Result<std::string> authorization(const AwsFiles& files) {
  const std::string path = files.variable(kTokenFile);
  std::string token = files.variable(kToken);
  if (!path.empty()) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    token.clear();
    const int error = fd ? read_all(fd.get(), kMaxToken, &token) : errno;
    if (error != 0) {
      return Error{"cannot read the token file '" + printable(path) + "' (" + kTokenFile +
                   "): " + strerror(error) + "; make it readable or correct the variable"};
    }
    token = trim(token, " \t\r\n");
  }
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
  });
  if (plain) return token;
  return Error{std::string(path.empty() ? kToken : kTokenFile) +
               " holds a line break or a control character; correct it"};
}

}  // namespace

Result<std::optional<ContainerPlace>> container_place(const AwsFiles& files) {
  const std::string relative = files.variable(kRelative), full = files.variable(kFull);
  if (relative.empty() && full.empty()) return std::optional<ContainerPlace>();
  ContainerPlace out;
  out.from = relative.empty() ? kFull : kRelative;
  out.url = relative.empty() ? full : kAgent + relative;
  const auto wrong = [&out](const std::string& why) {
    return Error{"the container's endpoint '" + printable(hide_secrets(out.url)) + "' (" +
                 out.from + ") " + why};
  };
  if (!relative.empty() && relative[0] != '/') return wrong("does not begin with '/'; correct it");
  const size_t scheme = out.url.find("://");
  const size_t end =
      scheme == std::string::npos ? std::string::npos : out.url.find_first_of("/?#", scheme + 3);
  auto at = parse_endpoint(out.url.substr(0, end));
  if (!at) return wrong(at.message() + "; correct it");
  if (!is_printable_url(out.url)) return wrong("is no URL; correct it");
  if (!may_be_asked(at.value())) {
    return wrong(
        "is not asked for keys: only https, this machine's own addresses, 169.254.170.2, "
        "169.254.170.23 and [fd00:ec2::23] are");
  }
  return std::optional(std::move(out));
}

Result<AwsKeys> container_keys(const ContainerPlace& place, const std::string& ca_file,
                               const AwsFiles& files, const AwsWorld& world) {
  const std::string what =
      "the container's endpoint " + printable(hide_secrets(place.url)) + " (" + place.from + ")";
  auto token = authorization(files);
  if (!token) return Error{what + ": " + token.message()};
  HttpRequest request{"GET", place.url, {{"accept", "application/json"}}, nullptr};
  if (!token.value().empty()) request.headers.emplace_back("authorization", token.value());
  const HttpAnswer answer = world.ask(std::move(request), {kContainerLimit_ms, true, ca_file});
  if (!answer.failure_class.empty()) {
    return Error{what + " did not answer (" + printable(hide_logins(answer.failure)) +
                 "); is the variable right, and the agent running?"};
  }
  if (answer.status != 200) {
    return Error{what + " answered " + std::to_string(answer.status) +
                 "; are the variable and its authorization token right?"};
  }
  auto keys = keys_of_json(answer.body, "Token", world.now_ms());
  if (!keys) return Error{what + ": " + keys.message() + "; is the variable right?"};
  keys.value().id_from = keys.value().secret_from = what;
  return keys;
}

}  // namespace wbshim
