#include "core/store/credentials.h"

#include <doctest/doctest.h>

#include <map>

#include "core/store/profile_file.h"
#include "tests/unit/core/store/aws_home.h"

using namespace wbshim;
using Home = wbshim::test::AwsHome;
using wbshim::test::mentions;

namespace {

constexpr char kBoth[] =
    "[default]\naws_access_key_id=FD\naws_secret_access_key=SD\n"
    "[work]\naws_access_key_id = FW\naws_secret_access_key = SW\naws_session_token = TW\n";

}  // namespace

TEST_CASE("credentials: the environment comes first") {
  Home home;
  home.credentials(kBoth).set("AWS_ACCESS_KEY_ID", "E").set("AWS_SECRET_ACCESS_KEY", " S/+=\n");
  AwsSettings aws = home.good();
  CHECK(aws.keys.id == "E");
  CHECK(aws.keys.secret == "S/+=");  // a newline from `$(cat file)` variants
  CHECK(aws.keys.token == "");
  CHECK(aws.id_from == "AWS_ACCESS_KEY_ID");
  CHECK(aws.region == "us-east-1");
  CHECK(aws.endpoint == "");
  CHECK(home.set("AWS_SESSION_TOKEN", "T").good().keys.token == "T");
  CHECK(home.set("AWS_PROFILE", "work").good().keys.id == "E");
}

TEST_CASE("credentials: half a pair is an error, not a silent look elsewhere") {
  Home id;
  mentions(id.credentials(kBoth).set("AWS_ACCESS_KEY_ID", "E").error(), {"AWS_SECRET_ACCESS_KEY"});
  Home secret;
  const std::string error = secret.set("AWS_SECRET_ACCESS_KEY", "hush").error();
  mentions(error, {"AWS_ACCESS_KEY_ID"});
  CHECK(error.find("hush") == std::string::npos);
  Home file;
  mentions(file.credentials("[default]\naws_access_key_id=A\n").error(),
           {"aws_secret_access_key", "~/.aws/credentials [default]"});
}

TEST_CASE("credentials: the shared files") {
  Home home;
  home.credentials(kBoth);
  CHECK(home.good().keys.secret == "SD");
  home.set("AWS_PROFILE", "work");
  const AwsSettings work = home.good();
  CHECK(work.keys.id == "FW");
  CHECK(work.keys.token == "TW");
  CHECK(work.id_from == "aws_access_key_id in ~/.aws/credentials [work]");

  Home config;  // keys in the config file, whose sections are called otherwise
  config.config(
      "[profile work]\naws_access_key_id=C\naws_secret_access_key=S\n[work]\nregion=no\n");
  CHECK(config.set("AWS_PROFILE", "work").good().keys.id == "C");
  CHECK(config.good().region == "us-east-1");

  Home elsewhere;
  elsewhere.file("keys", kBoth).set("AWS_SHARED_CREDENTIALS_FILE", elsewhere.path("keys"));
  CHECK(elsewhere.good().keys.id == "FD");
  Home tilde;
  CHECK(tilde.file("keys", kBoth).set("AWS_SHARED_CREDENTIALS_FILE", "~/keys").good().keys.id ==
        "FD");
}

TEST_CASE("credentials: none at all") {
  Home none;
  mentions(none.error(),
           {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "~/.aws/credentials [default]"});
  Home profile;
  mentions(profile.credentials(kBoth).set("AWS_PROFILE", "nope").error(),
           {"'nope'", "AWS_PROFILE"});
  Home role;
  mentions(role.config("[default]\nrole_arn = arn:x\nsource_profile = y\n").error(),
           {"source_profile in ~/.aws/config [default]", "no profile 'y'"});
  Home sso;
  mentions(sso.config("[default]\nsso_session = x\n").error(), {"sso_session"});
  Home broken;
  mentions(
      broken.credentials("[default]\naws_access_key_id=A\rB\naws_secret_access_key=S\n").error(),
      {"line break"});
}

TEST_CASE("credentials: region") {
  Home home;
  home.credentials(kBoth).config("[default]\nregion=from-file\n");
  CHECK(home.good().region == "from-file");
  CHECK(home.set("AWS_DEFAULT_REGION", "from-default").good().region == "from-default");
  CHECK(home.set("AWS_REGION", "from-region").good().region == "from-region");
  CHECK(home.set("AWS_REGION", "").good().region == "from-default");
}

TEST_CASE("credentials: endpoint") {
  Home home;
  home.credentials(kBoth).config(
      "[default]\nendpoint_url = http://profile\nservices = local\n"
      "[services local]\ns3 =\n  endpoint_url = http://service\ndynamodb =\n  endpoint_url = "
      "http://no\n");
  CHECK(home.good().endpoint == "http://service");
  CHECK(home.good().endpoint_from == "~/.aws/config [default]");
  CHECK(home.set("AWS_ENDPOINT_URL", "http://all").good().endpoint == "http://all");
  CHECK(home.set("AWS_ENDPOINT_URL_S3", "http://s3").good().endpoint == "http://s3");
  CHECK(home.good().endpoint_from == "AWS_ENDPOINT_URL_S3");
  CHECK(home.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").good().endpoint == "");
  Home plain;
  plain.credentials(kBoth).config("[default]\nendpoint_url = http://profile\n");
  CHECK(plain.good().endpoint == "http://profile");
}

TEST_CASE("credentials: certificates") {
  Home home;
  home.credentials(kBoth).config("[default]\nca_bundle = ~/ca.pem\n");
  CHECK(home.good().ca_file == home.path("ca.pem"));
  CHECK(home.set("AWS_CA_BUNDLE", "/other.pem").good().ca_file == "/other.pem");
}

TEST_CASE("profile file: what is in it") {
  const ProfileFile file = parse_profile_file(
      "\xEF\xBB\xBFlost = before any section\r\n"
      "# comment\n; comment\n"
      "[ default ]\r\n"
      "Region = eu-west-1 \r\n"
      "no equals sign\n"
      "empty =\n"
      "key = with = signs # and no comment\n"
      "[profile \"two words\"]\n"
      "s3 =\n"
      "  endpoint_url = http://x\n"
      "\tmax = 3\n"
      "after = 1\n"
      "  stray = 2\n"
      "[broken\n"
      "lost = 2\n"
      "[default]\n"
      "region = later");
  using Section = std::map<std::string, std::string>;
  CHECK(file.size() == 2);
  CHECK(file.at("default") ==
        Section{{"region", "later"}, {"empty", ""}, {"key", "with = signs # and no comment"}});
  CHECK(file.at("profile two words") == Section{{"s3", ""},
                                                {"s3.endpoint_url", "http://x"},
                                                {"s3.max", "3"},
                                                {"after", "1"},
                                                {"stray", "2"}});
  CHECK(parse_profile_file("").empty());
}

TEST_CASE("aws settings: dual-stack and FIPS") {
  Home plain;
  plain.credentials(kBoth);
  CHECK_FALSE(plain.good().dual_stack);
  CHECK_FALSE(plain.good().fips);
  plain.config("[default]\nuse_dualstack_endpoint = true\nuse_fips_endpoint = True\n");
  CHECK(plain.good().dual_stack);
  CHECK(plain.good().fips);
  plain.set("AWS_USE_FIPS_ENDPOINT", "false").set("AWS_USE_DUALSTACK_ENDPOINT", "TRUE");
  CHECK(plain.good().dual_stack);
  CHECK_FALSE(plain.good().fips);
  Home nested;
  nested.credentials(kBoth).config("[default]\ns3 =\n  use_dualstack_endpoint = true\n");
  CHECK(nested.good().dual_stack);
}
