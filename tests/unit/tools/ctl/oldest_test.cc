#include "tools/ctl/oldest.h"

#include <doctest/doctest.h>

using namespace wbshim;
using namespace wbshim::ctl;

namespace {

Json uploader(const char* text) {
  return Json::parse(text).value();
}

}  // namespace

TEST_CASE("status: what keeps the oldest entry waiting") {
  const Json idle = uploader(R"({"redis":{"connected":true},"store":{"away":false}})");
  OldestEntry entry;
  entry.path = "a";
  const auto by = [&](const Json& status) { return blockage_of(entry, status, 100'000).by; };
  CHECK(by(idle) == "queue");
  CHECK(by(Json()) == "no_uploader");
  CHECK(by(uploader(R"({"redis":{"connected":false}})")) == "redis_away");
  const Json open = uploader(R"({"redis":{"connected":true},"open_paths":["b","a"]})");
  CHECK(by(open) == "open_for_writing");
  CHECK(by(uploader(R"({"redis":{"connected":true},"uploads":[{"path":"a"}]})")) == "in_flight");
  const Json away = uploader(
      R"({"redis":{"connected":true},"store":{"away":true,"since":40000,"trouble":"no\nroute"}})");
  CHECK(by(away) == "store_away");
  CHECK(blockage_of(entry, away, 100'000).text == "the store is away for 1 min 0 s (no\\nroute)");
  const Json closed =
      uploader(R"({"redis":{"connected":true},"upload_hours":{"hours":"22-6","open":false}})");
  CHECK(by(closed) == "hours");
  CHECK(blockage_of(entry, closed, 0).text.find("22-6 (WBSHIM_UPLOAD_HOURS)") != std::string::npos);
  CHECK(by(uploader(R"({"redis":{"connected":true},"upload_hours":{"hours":"","open":true}})")) ==
        "queue");
  entry.settling = true;
  CHECK(by(idle) == "claim");
  entry.busy = true;
  CHECK(by(idle) == "claim");
  entry.due_in_ms = 1000;
  CHECK(by(idle) == "claim");
  CHECK(by(away) == "store_away");
  entry.due_in_ms = 120'000;
  CHECK(by(idle) == "not_due");
  CHECK(by(away) == "not_due");
  CHECK(blockage_of(entry, idle, 0).text == "not due yet, in 2 min 0 s");
  entry.dead_class = "AccessDenied";
  CHECK(by(away) == "dead_letter");
  entry.redis_away = true;
  CHECK(by(Json()) == "redis_away");
}
