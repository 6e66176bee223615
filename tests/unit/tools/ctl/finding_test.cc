#include "tools/ctl/finding.h"

#include <doctest/doctest.h>

#include "core/util/json.h"

using namespace wbshim;
using namespace wbshim::ctl;

TEST_CASE("one line a finding; only an error makes the status 1") {
  Findings findings = {{Level::Ok, "redis", "answers", ""},
                       {Level::Warning, "limits", "few", "raise them"}};
  CHECK(findings_screen(findings) == "ok       redis: answers\nwarning  limits: few; raise them\n");
  CHECK(findings_status(findings) == kDone);
  CHECK(findings_status({}) == kDone);
  findings.push_back({Level::Error, "store", "says \"no\"", ""});
  CHECK(findings_status(findings) == kFailed);
  const std::string text = findings_document(findings);
  CHECK(text.back() == '\n');
  const auto json = Json::parse(text);
  REQUIRE(json);
  CHECK_FALSE(json->find("ok")->truth(true));
  REQUIRE(json->find("checks")->items().size() == 3);
  CHECK(json->find("checks")->items()[1].text_of("level") == "warning");
  CHECK(json->find("checks")->items()[2].text_of("found") == "says \"no\"");
}
