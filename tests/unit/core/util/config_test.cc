#include "core/util/config.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "core/util/display.h"
#include "tests/unit/support/scratch.h"

using namespace wbshim;

namespace {

Result<Config> load(std::vector<std::string> environment, std::vector<Flag> flags = {}) {
  ConfigSources sources;
  sources.environment = std::move(environment);
  sources.flags = std::move(flags);
  sources.home = "/home/nobody-here";
  return Config::load(sources);
}

std::string error_of(std::vector<std::string> environment, std::vector<Flag> flags = {}) {
  const auto config = load(std::move(environment), std::move(flags));
  return config ? "" : config.message();
}

bool has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  MESSAGE(text << " lacks " << part);
  return false;
}

}  // namespace

TEST_CASE("defaults: every option has one, and they depend on one another") {
  const auto config = load({"HOME=/home/u"});
  REQUIRE(config);
  CHECK(config.value().prefix() == "/wb");
  CHECK(config.value().staging() == "/home/u/.cache/wbshim/default");
  CHECK(config.value().redis_url() == "unix:///home/u/.cache/wbshim/default/run/redis.sock");
  CHECK(config.value().store_url() == "file:///home/u/.cache/wbshim/default/store");
  CHECK(config.value().text(Option::CONFIG) == "/home/u/.config/wbshim/config");
  CHECK(config.value().upload_delay_ms() == 600000);
  CHECK(config.value().upload_deadline_ms() == 3600000);
  CHECK(config.value().writeback_max_size() == 25u << 20);
  CHECK(config.value().max_uploads() == 20);
  CHECK_FALSE(config.value().meta_batch());
  CHECK(config.value().redis_is_default());
  CHECK(config.value().store_is_default());
  CHECK(config.value().metrics_is_default());
  for (Option option : all_options()) CHECK(config.value().setting(option).where == "default");
}

TEST_CASE("home: HOME, the password data, the XDG directories") {
  CHECK(load({}).value().staging() == "/home/nobody-here/.cache/wbshim/default");
  CHECK(load({"HOME="}).value().staging() == "/home/nobody-here/.cache/wbshim/default");
  CHECK(load({"HOME=/h", "XDG_CACHE_HOME=/c"}).value().staging() == "/c/wbshim/default");
  CHECK(load({"HOME=/h", "XDG_CACHE_HOME=relative"}).value().staging() ==
        "/h/.cache/wbshim/default");
  CHECK(load({"HOME=/h", "XDG_CONFIG_HOME=/c"}).value().text(Option::CONFIG) == "/c/wbshim/config");
  CHECK(load({"HOME=/h", "WBSHIM_VOLUME=v-1.x"}).value().staging() == "/h/.cache/wbshim/v-1.x");
  ConfigSources nowhere;
  CHECK(has(Config::load(nowhere).message(), "WBSHIM_STAGING_DIR"));
  nowhere.environment = {"WBSHIM_STAGING_DIR=/s"};
  CHECK(Config::load(nowhere));
}

TEST_CASE(
    "precedence: flag over environment over file over default, and each says where it came from") {
  const test::Scratch scratch;
  const std::string file = scratch.write(
      "config",
      "# comment\n\nupload_delay = 1s   # trailing\nmeta=batch\n  volume =v\r\nlog_file =\n");
  const std::string use = "WBSHIM_CONFIG=" + file;
  const auto config =
      load({"HOME=/h", use, "WBSHIM_META=sync", "WBSHIM_LOG=info"}, {{Option::LOG, "debug"}});
  REQUIRE(config);
  CHECK(config.value().upload_delay_ms() == 1000);
  CHECK(config.value().setting(Option::UPLOAD_DELAY).where == "file " + file + ":3");
  CHECK(config.value().text(Option::META) == "sync");
  CHECK(config.value().setting(Option::META).where == "environment WBSHIM_META");
  CHECK(config.value().log_level() == "debug");
  CHECK(config.value().setting(Option::LOG).where == "flag --log");
  CHECK(config.value().volume() == "v");
  CHECK(config.value().staging() == "/h/.cache/wbshim/v");
  CHECK(config.value().log_file().empty());
}

TEST_CASE("file: errors name it and the line") {
  const test::Scratch scratch;
  const auto error = [&](const std::string& text) {
    const std::string file = scratch.write("bad", text);
    const std::string message = error_of({"HOME=/h", "WBSHIM_CONFIG=" + file});
    return message.compare(0, 5, "file ") == 0 ||
                   message.find("(file " + file + ":") != std::string::npos
               ? message
               : "";
  };
  CHECK(has(error("meta = batch\nuplod_delay = 1s\n"),
            ":2: unknown option 'uplod_delay'; did you mean 'upload_delay'?"));
  CHECK(has(error("nonsense\n"), ":1: 'nonsense' is not of the form"));
  CHECK(has(error("meta = batch\nmeta = sync"), "line 1"));
  CHECK(has(error("config = /x\n"), "cannot stand in the file"));
  CHECK(has(error("\nupload_delay = soon\n"), ":2): expected a duration"));
  CHECK(has(error("= 3\n"), "unknown option ''"));
  CHECK(has(error_of({"HOME=/h", "WBSHIM_CONFIG=" + scratch.path() + "/none"}), "No such file"));
  CHECK(has(error_of({"HOME=/h"}, {{Option::CONFIG, scratch.path()}}), "flag --config"));
  CHECK(load({"HOME=/h", "WBSHIM_CONFIG="}));
}

TEST_CASE("unknown WBSHIM_ variables are refused, private ones are not") {
  CHECK(has(error_of({"HOME=/h", "WBSHIM_PREFFIX=/x"}), "did you mean WBSHIM_PREFIX?"));
  CHECK(has(error_of({"HOME=/h", "WBSHIM_COMPLETELY_ELSE=1"}), "unset it"));
  CHECK(has(error_of({"HOME=/h", "WBSHIM_="}), "WBSHIM_ "));
  CHECK(load({"HOME=/h", "WBSHIM_FDS=3:x", "WBSHIMX=1"}));
}

TEST_CASE("values of the wrong kind: the line names option, value, origin and what is expected") {
  struct Row {
    const char* variable;
    const char* expected;
  };
  const Row rows[] = {{"WBSHIM_UPLOAD_DELAY=10x", "a duration"},
                      {"WBSHIM_UPLOAD_DELAY=", "a duration"},
                      {"WBSHIM_WRITEBACK_MAX_SIZE=-1", "a size"},
                      {"WBSHIM_MAX_UPLOADS=0", "1 to 4096"},
                      {"WBSHIM_MAX_UPLOADS=many", "a whole number"},
                      {"WBSHIM_META=later", "sync or batch"},
                      {"WBSHIM_LOG=loud", "error, warn, info or debug"},
                      {"WBSHIM_S3_ADDRESSING=x", "auto, path or virtual"},
                      {"WBSHIM_METRICS=9567", "host:port"},
                      {"WBSHIM_DISABLE=yes", "0 or 1"},
                      {"WBSHIM_VOLUME=a b", "letters, digits"},
                      {"WBSHIM_VOLUME=..", "a name"},
                      {"WBSHIM_PREFIX=", "empty"},
                      {"WBSHIM_PREFIX=wb", "absolute"},
                      {"WBSHIM_PREFIX=/", "directory below"},
                      {"WBSHIM_PREFIX=/wb/", "/wb"},
                      {"WBSHIM_PREFIX=/a//b/../c", "/a/c"},
                      {"WBSHIM_STAGING_DIR=s", "absolute"},
                      {"WBSHIM_LOG_FILE=log", "absolute"},
                      {"WBSHIM_REDIS_URL=http://x", "redis://"},
                      {"WBSHIM_REDIS_URL=redis://h:99999", "port"},
                      {"WBSHIM_REDIS_URL=foo", "redis://[user:pass@]host:port/db or unix://"},
                      {"WBSHIM_REDIS_URL=rediss://h", "TLS"},
                      {"WBSHIM_STORE_URL=foo", "s3://bucket/prefix or file:///dir"},
                      {"WBSHIM_STORE_URL=s3://", "bucket"},
                      {"WBSHIM_STORE_URL=file://relative", "file:///dir"},
                      {"WBSHIM_STORE_URL=ftp://x", "s3://bucket/prefix"},
                      {"WBSHIM_COHERENCE=shared", "not available yet"},
                      {"WBSHIM_CACHE_SIZE=1G", "not available yet"}};
  for (const Row& bad : rows) {
    CAPTURE(bad.variable);
    const std::string variable = bad.variable, name = variable.substr(0, variable.find('='));
    const std::string error = error_of({"HOME=/h", variable});
    std::string named = name;
    named.append(" is '")
        .append(variable.substr(name.size() + 1))
        .append("' (environment ")
        .append(name)
        .append("): ");
    CHECK(has(error, named));
    CHECK(has(error, bad.expected));
    CHECK(error.find('\n') == std::string::npos);
  }
}

TEST_CASE("a feature that is not there yet may be named with its default") {
  CHECK(load({"HOME=/h", "WBSHIM_CACHE_SIZE=100G", "WBSHIM_DURABILITY=none",
              "WBSHIM_READ_WAIT=30000ms", "WBSHIM_MAX_STAGED=0K"}));
}

TEST_CASE("prefix, staging and store lie apart, by whatever route they are written") {
  const test::Scratch scratch;
  const std::string real = scratch.path() + "/real", link = scratch.path() + "/link";
  REQUIRE(mkdir(real.c_str(), 0700) == 0);
  REQUIRE(symlink("real", link.c_str()) == 0);
  const auto error = [&](const std::string& prefix, const std::string& staging) {
    return error_of({"WBSHIM_PREFIX=" + prefix, "WBSHIM_STAGING_DIR=" + staging});
  };
  CHECK(has(error(real, real), "it is the staging directory"));
  CHECK(has(error(real + "/s/x", real + "/s"), "it lies inside"));
  CHECK(has(error(real, real + "/s"), "it contains"));
  CHECK(has(error(real, link), "it is the staging directory"));
  CHECK(has(error(link, real), "it is the staging directory"));
  CHECK(has(error(link + "/deep/er", real + "/deep"), "it lies inside"));
  CHECK(error(real, real + "2") == "");
  const auto store = [&](const std::string& dir) {
    return error_of(
        {"WBSHIM_PREFIX=/wb", "WBSHIM_STAGING_DIR=" + real, "WBSHIM_STORE_URL=file://" + dir});
  };
  CHECK(has(store(link + "/tree/x"), "the staged files themselves"));
  CHECK(has(store(real), "the staged files themselves"));
  CHECK(has(store("/wb/store"), "under the prefix"));
  CHECK(store(real + "/store") == "");
}

TEST_CASE("staging is canonical, and the private Redis is known by every route") {
  const test::Scratch scratch;
  REQUIRE(mkdir((scratch.path() + "/real").c_str(), 0700) == 0);
  REQUIRE(symlink("real", (scratch.path() + "/link").c_str()) == 0);
  const std::string staging = "WBSHIM_STAGING_DIR=" + scratch.path() + "/link/new";
  const auto config =
      load({staging, "WBSHIM_REDIS_URL=unix://" + scratch.path() + "/link/new/run/redis.sock"});
  REQUIRE(config);
  CHECK(config.value().staging() == scratch.path() + "/real/new");
  CHECK(config.value().redis_is_default());
  CHECK_FALSE(
      load({staging, "WBSHIM_REDIS_URL=unix:///elsewhere.sock"}).value().redis_is_default());
  CHECK_FALSE(load({staging, "WBSHIM_REDIS_URL=redis://127.0.0.1:1/3"}).value().redis_is_default());
  CHECK(has(error_of({"WBSHIM_STAGING_DIR=/a?b"}), "cannot stand in a URL"));
}

TEST_CASE("secrets are never shown") {
  const auto config = load({"HOME=/h", "WBSHIM_REDIS_URL=redis://user:hush@host:1/0"});
  REQUIRE(config);
  CHECK(config.value().shown(Option::REDIS_URL) == "redis://user:***@host:1/0");
  CHECK(has(config.value().complaint(Option::REDIS_URL, "x"),
            "'redis://user:***@host:1/0' (environment WBSHIM_REDIS_URL): x"));
  for (const char* url :
       {"redis://u:hush@h:99999", "redis:/u:hush@h", "http://u:hush@h", "redis://hush@h:x"}) {
    CAPTURE(url);
    const std::string error = error_of({"HOME=/h", std::string("WBSHIM_REDIS_URL=") + url});
    CHECK_FALSE(error.empty());
    CHECK(error.find("hush") == std::string::npos);
  }
}

TEST_CASE("flags of a program that takes options only") {
  const char* good[] = {"x", "--upload-delay", "5s", "--meta=batch", "--log-file="};
  const auto flags = parse_flags(5, good);
  REQUIRE(flags);
  REQUIRE(flags.value().size() == 3);
  CHECK(flags.value()[0].option == Option::UPLOAD_DELAY);
  CHECK(flags.value()[1].value == "batch");
  CHECK(flags.value()[2].value == "");
  const char* unknown[] = {"x", "--uplod-delay", "5s"};
  CHECK(has(parse_flags(3, unknown).message(), "'--upload-delay'?"));
  const char* alone[] = {"x", "--meta"};
  CHECK(has(parse_flags(2, alone).message(), "needs a value"));
  const char* word[] = {"x", "word"};
  CHECK(has(parse_flags(2, word).message(), "'word'"));
}

TEST_CASE("options for new objects: what S3 or a header could not take") {
  struct Row {
    const char* entry;
    const char* mend;
  };
  const Row rows[] = {
      {"WBSHIM_S3_STORAGE_CLASS=two words", "STANDARD_IA"},
      {"WBSHIM_S3_SSE=aes256", "none, AES256 or aws:kms"},
      {"WBSHIM_S3_SSE_KMS_KEY_ID=k", "WBSHIM_S3_SSE=aws:kms"},
      {"WBSHIM_S3_ACL=public", "public-read"},
      {"WBSHIM_S3_CACHE_CONTROL=a\nb", "one line"},
      {"WBSHIM_S3_REQUEST_PAYER=yes", "0 or 1"},
      {"WBSHIM_S3_TAGS=a", "name=value"},
      {"WBSHIM_S3_TAGS==1", "no name"},
      {"WBSHIM_S3_TAGS=a=1&", "name=value"},
      {"WBSHIM_S3_TAGS=a=1&&b=2", "name=value"},
      {"WBSHIM_S3_TAGS=a b=1", "URL-encoded"},
      {"WBSHIM_S3_TAGS=a=1/2", "%2F"},
      {"WBSHIM_S3_TAGS=a=%4", "URL-encoded"},
      {"WBSHIM_S3_TAGS=a\x04", "name=value"},
      {"WBSHIM_S3_TAGS=a=%zz", "URL-encoded"},
      {"WBSHIM_S3_TAGS=a=1&%61=2", "the name of another"},
      {"WBSHIM_S3_TAGS=aws%3Ax=1", "aws:"},
      {"WBSHIM_S3_TAGS=a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=", "at most ten"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.entry);
    const std::string message = error_of({"HOME=/h", row.entry});
    CHECK(has(message, row.mend));
    CHECK(has(message, std::string(row.entry).substr(0, std::string(row.entry).find('='))));
    CHECK(has(message, "environment"));
    CHECK(printable(message) == message);
  }
  CHECK(has(error_of({"HOME=/h", "WBSHIM_S3_TAGS=" + std::string(129, 'a') + "=1"}), "128"));
  CHECK(has(error_of({"HOME=/h", "WBSHIM_S3_SSE=aws:kms", "WBSHIM_S3_SSE_KMS_KEY_ID=a b"}),
            "blanks"));
  std::string longest = "WBSHIM_S3_TAGS=";  // characters count, not bytes
  for (int i = 0; i < 128; i++) longest += "%C3%A9";
  CHECK(error_of({"HOME=/h", longest + "=1"}).empty());
  CHECK(error_of({"HOME=/h", "WBSHIM_S3_TAGS=team%20a=x+y&b=1&c=", "WBSHIM_S3_SSE=AES256",
                  "WBSHIM_S3_STORAGE_CLASS=ONEZONE_IA", "WBSHIM_S3_ACL=bucket-owner-full-control",
                  "WBSHIM_S3_CACHE_CONTROL=public, max-age=60"})
            .empty());
}
