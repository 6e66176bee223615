#include "shim/settings.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace wbshim;

namespace {

struct Loaded {
  Settings settings;
  bool on = false;
  std::string why;     // "OPTION: what comes of it"
  std::string reason;  // of the last one
  unsigned count = 0;
};

Loaded load(std::vector<std::string> entries) {
  std::vector<char*> environment;
  environment.reserve(entries.size() + 1);
  for (auto& e : entries) environment.push_back(e.data());
  environment.push_back(nullptr);
  Loaded result;
  Settings::Complaints complaints;
  result.on = result.settings.load(environment.data(), &complaints);
  for (unsigned i = 0; i < complaints.count; i++) {
    const Settings::Complaint& c = complaints.list[i];
    result.why = std::string(c.option.data, c.option.size) + ": " + c.then;
    result.reason = c.why;
  }
  result.count = complaints.count;
  return result;
}

}  // namespace

TEST_CASE("settings: defaults need a home only") {
  Loaded l = load({"HOME=/home/u"});
  CHECK(l.on);
  CHECK(std::string(l.settings.prefix) == "/wb");
  CHECK(std::string(l.settings.staging) == "/home/u/.cache/wbshim/default");
  CHECK(std::string(l.settings.tree) == "/home/u/.cache/wbshim/default/tree");
  CHECK(std::string(l.settings.redis_url).empty());
  CHECK(std::string(
            load({"HOME=/home/u", "XDG_CACHE_HOME=/c", "WBSHIM_VOLUME=v"}).settings.staging) ==
        "/c/wbshim/v");
}

TEST_CASE(
    "settings: an empty prefix, a switch or nowhere to stage make the library inert, quietly") {
  CHECK_FALSE(load({"HOME=/h", "WBSHIM_PREFIX="}).on);
  CHECK_FALSE(load({"HOME=/h", "WBSHIM_DISABLE=1"}).on);
  CHECK(load({"HOME=/h", "WBSHIM_DISABLE=0"}).on);
  Loaded l = load({"PATH=/bin"});
  CHECK_FALSE(l.on);
  CHECK(l.why == "STAGING_DIR: the library stays inert");
  CHECK(l.reason == "it is not set, and neither is HOME");
}

TEST_CASE(
    "settings: a mistake in where files go makes it inert, any other falls back and is named") {
  CHECK_FALSE(load({"HOME=/h", "WBSHIM_PREFIX=relative"}).on);
  CHECK_FALSE(load({"HOME=/h", "WBSHIM_PREFIX=/a/../b"}).on);
  CHECK_FALSE(load({"HOME=/h", "WBSHIM_VOLUME=a/b"}).on);
  CHECK_FALSE(load({"HOME=/h", "WBSHIM_STAGING_DIR=relative"}).on);
  Loaded l = load({"HOME=/h", "WBSHIM_UPLOAD_DELAY=soon", "WBSHIM_META=batch"});
  CHECK(l.on);
  CHECK(l.why == "UPLOAD_DELAY: its default is used");
  CHECK(l.settings.delay_ms == 600000);
  CHECK(l.settings.batch);
}

TEST_CASE("settings: trailing slashes go") {
  Loaded l = load({"WBSHIM_PREFIX=/data/wb/", "WBSHIM_STAGING_DIR=/s//"});
  CHECK(l.on);
  CHECK(std::string(l.settings.prefix) == "/data/wb");
  CHECK(std::string(l.settings.tree) == "/s/tree");
}

TEST_CASE("settings: an option whose feature is not there yet is named, its default is not") {
  CHECK(load({"HOME=/h", "WBSHIM_COHERENCE=shared"}).why == "COHERENCE: it has no effect");
  CHECK(load({"HOME=/h", "WBSHIM_COHERENCE=shared"}).on);
  CHECK(load({"HOME=/h", "WBSHIM_COHERENCE=private"}).count == 0);
}

TEST_CASE(
    "settings: every mistake is told, wherever the log file stands, and unknown options too") {
  Loaded l = load({"HOME=/h", "WBSHIM_UPLOAD_DELAY=soon", "WBSHIM_META=maybe", "WBSHIM_BOGUS=1"});
  CHECK(l.on);
  CHECK(l.count == 3);
  CHECK(l.why == "BOGUS: it has no effect");
  l = load({"HOME=/h", "WBSHIM_PREFIX=relative", "WBSHIM_LOG_FILE=/tmp/log"});
  CHECK_FALSE(l.on);
  CHECK(std::string(l.settings.log_file) == "/tmp/log");
}

TEST_CASE("settings: prefix and staging directory must lie apart") {
  CHECK_FALSE(load({"WBSHIM_PREFIX=/s", "WBSHIM_STAGING_DIR=/s"}).on);
  CHECK_FALSE(load({"WBSHIM_PREFIX=/s/wb", "WBSHIM_STAGING_DIR=/s"}).on);
  Loaded l = load({"WBSHIM_PREFIX=/s", "WBSHIM_STAGING_DIR=/s/st"});
  CHECK_FALSE(l.on);
  CHECK(l.why == "PREFIX: the library stays inert");
  CHECK(load({"WBSHIM_PREFIX=/s", "WBSHIM_STAGING_DIR=/st"}).on);
}
