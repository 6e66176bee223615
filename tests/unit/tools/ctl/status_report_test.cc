#include "tools/ctl/status_report.h"

#include <doctest/doctest.h>

using namespace wbshim;
using namespace wbshim::ctl;

namespace {

Config config_of(std::vector<std::string> environment) {
  ConfigSources sources;
  sources.environment = std::move(environment);
  auto config = Config::load(sources);
  REQUIRE(config);
  return std::move(config.value());
}

}  // namespace

TEST_CASE("nothing ever used, nothing wrong") {
  const Config config = config_of({"HOME=/h"});
  StatusReport report{config, {}, {}, false};
  report.volume.redis_trouble = "no such socket";
  CHECK(problems(report).empty());
  const auto json = Json::parse(status_document(report));
  REQUIRE(json);
  CHECK(json->find("ok")->truth());
  CHECK_FALSE(json->find("uploader")->find("running")->truth(true));
}

TEST_CASE("dead letters are named, on one line each, and make the status bad") {
  const Config config = config_of({"HOME=/h"});
  StatusReport report{config, {}, {}, true};
  report.volume.redis_answers = true;
  report.volume.files = 2;
  report.volume.bytes = 3072;
  report.volume.waiting = 3;
  report.volume.oldest_ms = 65000;
  report.volume.dead.push_back({"a\nb", "AccessDenied", "no\nway", 7, 0});
  CHECK(problems(report).size() == 1);
  const std::string screen = status_screen(report);
  CHECK(screen.find("/wb/a\\nb: AccessDenied: no\\nway (7 attempts)") != std::string::npos);
  CHECK(screen.find("2 files, 3.0 KiB, 1 other entry, the oldest for 1 min 5 s") !=
        std::string::npos);
  const auto json = Json::parse(status_document(report));
  REQUIRE(json);
  CHECK_FALSE(json->find("ok")->truth(true));
  CHECK(json->find("dead")->items().at(0).text_of("path") == "a\nb");
  CHECK(json->find("staged")->number_of("bytes") == 3072);
}

TEST_CASE("a Redis of somebody's own that is away is a problem; its password is not shown") {
  const Config config = config_of({"HOME=/h", "WBSHIM_REDIS_URL=redis://u:hush@h:1/0"});
  StatusReport report{config, {}, {}, true};
  report.volume.redis_trouble = "connection refused";
  REQUIRE(problems(report).size() == 1);
  CHECK(problems(report)[0].find("WBSHIM_REDIS_URL") != std::string::npos);
  CHECK((status_screen(report) + status_document(report)).find("hush") == std::string::npos);
}

TEST_CASE("an uploader that does not answer is a problem") {
  const Config config = config_of({"HOME=/h"});
  StatusReport report{config, {}, {}, true};
  report.volume.redis_answers = true;
  report.uploader.silent_pid = 12;
  REQUIRE(problems(report).size() == 1);
  CHECK(problems(report)[0].find("process 12") != std::string::npos);
}
