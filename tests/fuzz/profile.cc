// AWS' credentials and config files: read without harm; no value can break a header.
#include "core/store/profile_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <map>

#include "core/store/credentials.h"
#include "core/util/display.h"
#include "core/util/fd.h"
#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

namespace {

// A file in memory and its name.
struct File {
  File() : name("/proc/self/fd/" + std::to_string(fd.get())) {}
  void write(const std::string& text) const {
    demand(ftruncate(fd.get(), 0) == 0 &&
               pwrite(fd.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
           "memory for the file");
  }
  const Fd fd{memfd_create("profile", MFD_CLOEXEC)};
  const std::string name;
};

void check_settings(const std::string& credentials, const std::string& config,
                    const std::string& profile) {
  static const File first, second;
  first.write(credentials);
  second.write(config);
  const std::map<std::string, std::string> variables = {{"AWS_SHARED_CREDENTIALS_FILE", first.name},
                                                        {"AWS_CONFIG_FILE", second.name},
                                                        {"AWS_PROFILE", profile},
                                                        {"HOME", "/nowhere"}};
  AwsWorld world;
  world.environment = [&](const char* name) -> const char* {
    const auto at = variables.find(name);
    return at == variables.end() ? nullptr : at->second.c_str();
  };
  world.now_ms = [] { return uint64_t{0}; };
  world.ask = [](const HttpRequest& request, const CallLimits&) {
    demand(!request.url.empty(), "what is asked has a place");
    HttpAnswer answer;
    answer.failure_class = "connect";
    return answer;
  };
  world.run = [](const std::vector<std::string>& words) {
    demand(!words.empty(), "what is run has a name");
    return ProcessEnd{"is not run", 0, "", ""};
  };
  const auto settings = load_aws_settings(world);
  if (!settings) {
    return demand(printable(settings.message()) == settings.message(),
                  "a refusal is one printable line");
  }
  const AwsSettings& aws = settings.value();
  demand(!aws.keys.id.empty() && !aws.keys.secret.empty() && !aws.region.empty(),
         "the settings are whole");
  for (const std::string* value : {&aws.keys.id, &aws.keys.secret, &aws.keys.token, &aws.region}) {
    demand(value->find_first_of(std::string("\r\n\0", 3)) == std::string::npos,
           "no value can break a header");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const uint8_t choice = input.byte();
  if (choice % 8 != 0) {
    for (const auto& [section, values] : parse_profile_file(input.rest())) {
      demand(section.find('\n') == std::string::npos, "a section's name is of one line");
      for (const auto& [key, value] : values)
        demand((key + value).find('\n') == std::string::npos, "a value is of one line");
    }
    return 0;
  }
  const std::string profile = input.until('\0'), credentials = input.until('\0');
  check_settings(credentials, input.rest(), profile);
  return 0;
}
