#include "tools/ctl/paths.h"

#include <doctest/doctest.h>

using namespace wbshim;
using namespace wbshim::ctl;

TEST_CASE("paths count from the prefix, or from a working directory below it") {
  ConfigSources sources;
  sources.environment = {"WBSHIM_PREFIX=/wb", "WBSHIM_STAGING_DIR=/st"};
  const auto config = Config::load(sources);
  REQUIRE(config);
  const auto at = [&](const char* word, const char* cwd) {
    const auto path = path_in_prefix(config.value(), word, cwd);
    return path ? path.value() : "error: " + path.message();
  };
  CHECK(at("a/b", "/home") == "a/b");
  CHECK(at("/wb/a//b/./c/..", "/home") == "a/b");
  CHECK(at("/wb", "/home") == "");
  CHECK(at(".", "/home") == "");
  CHECK(at("", "/home") == "");
  CHECK(at("x", "/wb/d") == "d/x");
  CHECK(at("../x", "/wb/d/e") == "d/x");
  CHECK(at("x", "/st/tree/d") == "d/x");
  CHECK(at("x", "/wbx") == "x");
  CHECK(at("/wbx/a", "/").find("not under the prefix /wb (environment WBSHIM_PREFIX)") !=
        std::string::npos);
  CHECK(at("../x", "/wb").find("error") == 0);
  CHECK(at("/wb/../etc/passwd", "/").find("error") == 0);
}
