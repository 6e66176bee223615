#include "tools/ctl/preload.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "tools/ctl/places.h"

using namespace wbshim;
using namespace wbshim::ctl;

namespace {

std::map<std::string, std::string> variables(std::vector<std::string> environment,
                                             const std::string& preloaded) {
  ConfigSources sources;
  sources.environment = std::move(environment);
  const auto config = Config::load(sources);
  REQUIRE(config);
  std::map<std::string, std::string> found;
  for (const auto& [name, value] : preload_variables(config.value(), "/l/libwbshim.so", preloaded))
    found[name] = value;
  return found;
}

}  // namespace

TEST_CASE("the library stands first, what was preloaded stays, and it stands there once") {
  CHECK(variables({"HOME=/h"}, "").at("LD_PRELOAD") == "/l/libwbshim.so");
  CHECK(variables({"HOME=/h"}, "/a.so:/b.so").at("LD_PRELOAD") == "/l/libwbshim.so:/a.so:/b.so");
  CHECK(variables({"HOME=/h"}, "/a.so /l/libwbshim.so  /b.so").at("LD_PRELOAD") ==
        "/l/libwbshim.so:/a.so:/b.so");
}

TEST_CASE("what is set is passed on, and what depends on the place; plain defaults are not") {
  const auto found = variables({"HOME=/h", "WBSHIM_META=batch", "WBSHIM_VOLUME=v"}, "");
  CHECK(found.at("WBSHIM_META") == "batch");
  CHECK(found.at("WBSHIM_PREFIX") == "/wb");
  CHECK(found.at("WBSHIM_STAGING_DIR") == "/h/.cache/wbshim/v");
  CHECK(found.at("WBSHIM_REDIS_URL") == "unix:///h/.cache/wbshim/v/run/redis.sock");
  CHECK(found.at("WBSHIM_STORE_URL") == "file:///h/.cache/wbshim/v/store");
  CHECK(found.count("WBSHIM_METRICS") == 0);
  CHECK(found.count("WBSHIM_CONFIG") == 0);
}

TEST_CASE("a library that cannot be preloaded is told") {
  char name[] = "/tmp/wbshim-places-XXXXXX";
  const std::string dir = mkdtemp(name), file = dir + "/lib.so";
  CHECK(library_trouble("/proc/self/exe", "/proc/self/exe") == "");
  CHECK(library_trouble(file, "/proc/self/exe").find("cannot be read") != std::string::npos);
  CHECK(library_trouble("/a b/lib.so", "/proc/self/exe").find("blank") != std::string::npos);
  CHECK(library_trouble("/a:b/lib.so", "/proc/self/exe").find("colon") != std::string::npos);
  std::ofstream(file)
      << "GROUP ( libfoo.so ) and some more text that is long enough for a header of an ELF file";
  CHECK(library_trouble(file, "/proc/self/exe").find("no ELF library") != std::string::npos);
  CHECK(unlink(file.c_str()) == 0);
  CHECK(rmdir(dir.c_str()) == 0);
}
