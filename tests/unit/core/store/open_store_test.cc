#include <doctest/doctest.h>

#include <cstdlib>

#include "core/store/store.h"
#include "tests/unit/core/store/drive.h"
#include "tests/unit/support/scratch.h"

using namespace wbshim;

namespace {

std::string error_of(const std::string& url) {
  StoreOptions options;
  options.url = url;
  auto store = open_store(options);
  return store.ok() ? "no error" : store.message();
}

}  // namespace

TEST_CASE("open_store: file") {
  test::Scratch scratch;
  StoreOptions options;
  options.url = "file://" + scratch.at("deep/down") + "//";
  auto store = open_store(options);
  REQUIRE(store.ok());
  CHECK_FALSE(std::filesystem::exists(scratch.at("deep")));  // nothing before it is used
  CHECK(store.value()->probe(1000).ok());
  test::Driver drive(*store.value());
  CHECK(drive.put("k", "x").outcome == StoreOutcome::Stored);
  CHECK(scratch.read("deep/down/k") == "x");
}

TEST_CASE("open_store: URLs that are none") {
  for (const char* url : {"", "/dir", "gs://b/x", "http://h", "S3://bucket"}) {
    CAPTURE(url);
    CHECK(error_of(url).find("is neither s3://bucket/prefix nor file:///directory") !=
          std::string::npos);
  }
  CHECK(error_of("file://relative/x").find("absolute") != std::string::npos);
  CHECK(error_of("file://").find("absolute") != std::string::npos);
  CHECK(error_of("ftp://user:hidden@h").find("hidden") == std::string::npos);
}

TEST_CASE("open_store: s3 without credentials names the variables") {
  test::Scratch empty;
  for (const char* name :
       {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    unsetenv(name);
  }
  setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
  setenv("HOME", empty.path().c_str(), 1);
  const std::string error = error_of("s3://bkt/prefix");
  CHECK(error.find("AWS_ACCESS_KEY_ID") != std::string::npos);
  CHECK(error.find("AWS_SECRET_ACCESS_KEY") != std::string::npos);
  StoreOptions anonymous;
  anonymous.url = "s3://bkt/prefix";
  anonymous.anonymous = true;
  CHECK(open_store(anonymous).ok());
  setenv("AWS_ACCESS_KEY_ID", "id", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  CHECK(error_of("s3://bkt/prefix") == "no error");
  CHECK(error_of("s3://").find("s3://bucket/prefix") != std::string::npos);
  unsetenv("AWS_ACCESS_KEY_ID");
  unsetenv("AWS_SECRET_ACCESS_KEY");
}
