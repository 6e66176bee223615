// Configuration: the options file, the environment, the addresses of Redis and store. Whatever
// stands there is taken or refused with one printable line, and no password is shown.
#include "core/util/config.h"

#include "core/base/redis_link.h"
#include "core/store/s3_place.h"
#include "core/util/bytes.h"
#include "core/util/config_file.h"
#include "core/util/display.h"
#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

namespace {

constexpr char kSecret[] = "sesame-42";

bool one_line(const std::string& text) {
  return printable(text) == text;
}

void check_file(const std::string& text) {
  const auto lines = parse_config_file(text, "config");
  if (!lines) return demand(one_line(lines.message()), "a refusal is one printable line");
  for (const ConfigLine& line : lines.value())
    demand(line.line > 0 && line.value.find('\n') == std::string::npos, "a value is of one line");
}

void check_environment(fuzz::Input& input) {
  ConfigSources sources;
  sources.home = "/nowhere";
  sources.environment = {"WBSHIM_CONFIG=", "HOME=/nowhere"};
  const std::vector<Option> options = all_options();
  while (!input.empty()) {
    const Option option = options[input.byte() % options.size()];
    if (option == Option::CONFIG) continue;
    sources.environment.push_back(environment_name(option) + "=" + input.until('\0'));
  }
  const auto config = Config::load(sources);
  if (!config) return demand(one_line(config.message()), "a refusal is one printable line");
  demand(config.value().staging().front() == '/', "the staging directory is absolute");
  RedisAddress address;
  demand(address.parse(bytes(config.value().redis_url())) == nullptr, "Redis' address was checked");
  for (const Option option : options)
    demand(one_line(config.value().shown(option)), "a value can be shown");
}

// An address that holds a password, made of parts of the input.
void check_secret(fuzz::Input& input) {
  const std::string user = input.until('\0'), place = input.rest();
  if (user.find(kSecret) != std::string::npos || place.find(kSecret) != std::string::npos) return;
  const std::string url = "redis://" + user + ":" + kSecret + "@" + place;
  RedisAddress address;
  const char* wrong = address.parse(bytes(url));
  demand(hide_secrets(url).find(kSecret) == std::string::npos, "a password is hidden");
  demand(wrong == nullptr || strstr(wrong, kSecret) == nullptr, "a refusal does not name it");
  ConfigSources sources;
  sources.home = "/nowhere";
  if (url.find('\0') != std::string::npos) return;
  sources.environment = {"WBSHIM_CONFIG=", "HOME=/nowhere", "WBSHIM_REDIS_URL=" + url};
  const auto config = Config::load(sources);
  const std::string shown = config ? config.value().shown(Option::REDIS_URL) : config.message();
  demand(shown.find(kSecret) == std::string::npos, "nor does the configuration");
}

void check_addresses(fuzz::Input& input) {
  const std::string url = input.until('\0'), endpoint = input.rest();
  RedisAddress address;
  if (address.parse(bytes(url)) == nullptr) {
    demand(memchr(address.path_or_host, '\0', sizeof address.path_or_host) != nullptr,
           "the host ends");
    demand(memchr(address.user, '\0', sizeof address.user) != nullptr, "the user's name ends");
    demand(memchr(address.password, '\0', sizeof address.password) != nullptr, "the password ends");
    demand(address.path_or_host[0] != '\0', "there is a host or path");
  }
  const auto place = make_s3_place(url, endpoint, "us-east-1", "auto");
  if (!place) return demand(one_line(place.message()), "a refusal is one printable line");
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]";
  demand(place.value().host.find_first_not_of(kPlain) == std::string::npos,
         "a host name cannot hold a header of its own");
  demand(place.value().base_path.find_first_of(" \r\n?#%") == std::string::npos,
         "the endpoint's path is plain");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 4) {
    case 0:
      check_file(input.rest());
      break;
    case 1:
      check_environment(input);
      break;
    case 2:
      check_secret(input);
      break;
    default:
      check_addresses(input);
  }
  return 0;
}
