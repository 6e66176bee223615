// The order in which keys are looked for, and what each service is asked.
#include "core/store/key_source.h"

#include "core/store/credentials.h"
#include "tests/unit/core/store/aws_home.h"

using namespace wbshim;
using Home = test::AwsHome;
using test::hides;
using test::json_keys;
using test::mentions;
using test::sts_keys;

namespace {

constexpr char kImds[] = "http://169.254.169.254";
constexpr char kRolesPath[] = "/latest/meta-data/iam/security-credentials/";

void give_instance(Home& home, const std::string& url = kImds) {
  home.answer("PUT " + url + "/latest/api/token", "imds-token")
      .answer("GET " + url + kRolesPath, "web\n")
      .answer("GET " + url + kRolesPath + "web", json_keys("INSTANCE", "Token"));
}

void give_container(Home& home) {
  home.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds")
      .answer("GET http://169.254.170.2/v2/creds", json_keys("CONTAINER", "Token"));
}

std::string body(const HttpRequest& request) {
  return request.body ? *request.body : "";
}

}  // namespace

TEST_CASE("key source: the order, from the last to the first") {
  Home home;
  give_instance(home);
  CHECK(home.good().keys.id == "INSTANCE");
  give_container(home);
  CHECK(home.good().keys.id == "CONTAINER");
  home.config("[default]\naws_access_key_id=CONFIG\naws_secret_access_key=x\n");
  CHECK(home.good().keys.id == "CONFIG");
  ProcessEnd end;
  end.out = json_keys("PROCESS", "SessionToken");
  home.program(end).config(
      "[default]\naws_access_key_id=CONFIG\naws_secret_access_key=x\ncredential_process=/p\n");
  CHECK(home.good().keys.id == "PROCESS");
  home.credentials("[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n");
  CHECK(home.good().keys.id == "FILE");
  home.config("[default]\nrole_arn=arn:profile\nsource_profile=default\n")
      .answer("POST https://sts.us-east-1.amazonaws.com/", sts_keys("AssumeRole", "ROLE"));
  CHECK(home.good().keys.id == "ROLE");
  home.file("token", "jwt\n")
      .set("AWS_WEB_IDENTITY_TOKEN_FILE", home.path("token"))
      .set("AWS_ROLE_ARN", "arn:env")
      .answer("POST https://sts.us-east-1.amazonaws.com/",
              sts_keys("AssumeRoleWithWebIdentity", "WEB"));
  CHECK(home.good().keys.id == "WEB");
  home.set("AWS_ACCESS_KEY_ID", "ENV").set("AWS_SECRET_ACCESS_KEY", "x");
  CHECK(home.good().keys.id == "ENV");
}

TEST_CASE("key source: given keys are found without asking anybody") {
  Home home;
  CHECK_FALSE(load_given_keys(home.world().environment).value().has_value());
  home.credentials("[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n");
  CHECK(load_given_keys(home.world().environment).value()->keys.id == "FILE");
  CHECK(home.asked.empty());
}

TEST_CASE("web identity: an unsigned request with the token") {
  Home home;
  home.file("token", "jwt/1\n")
      .set("AWS_WEB_IDENTITY_TOKEN_FILE", home.path("token"))
      .set("AWS_ROLE_ARN", "arn:aws:iam::1:role/web")
      .set("AWS_ROLE_SESSION_NAME", "builder")
      .set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9/base/")
      .answer("POST http://127.0.0.1:9/base/", sts_keys("AssumeRoleWithWebIdentity", "WEB"));
  const AwsSettings aws = home.good();
  CHECK(aws.keys.token == "T-WEB&");
  CHECK(aws.expires_ms == test::kNow_ms + 3'600'000);
  CHECK(aws.id_from == "role arn:aws:iam::1:role/web (AWS_WEB_IDENTITY_TOKEN_FILE)");
  CHECK(body(home.asked.at(0)) ==
        "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fweb"
        "&RoleSessionName=builder&Version=2011-06-15&WebIdentityToken=jwt%2F1");
  CHECK(home.header(0, "authorization") == "missing");
  CHECK(home.limited.at(0).ignore_proxy);
  // Renewed by others: read anew.
  home.file("token", "jwt2");
  (void)home.good();
  mentions(body(home.asked.at(1)), {"WebIdentityToken=jwt2"});

  home.answer("POST http://127.0.0.1:9/base/",
              "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>jwt2 is over."
              "</Message></Error><RequestId>r</RequestId></ErrorResponse>",
              400);
  mentions(home.error(), {"STS at http://127.0.0.1:9 answered 400 InvalidIdentityToken",
                          "*** is over", "role arn:aws:iam::1:role/web"});
  hides(home.error(), {"jwt2"});
  home.answer("POST http://127.0.0.1:9/base/", "<html>");
  mentions(home.error(), {"no document of STS'"});
  home.set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:8");
  mentions(home.error(), {"did not answer", "AWS_ENDPOINT_URL_STS"});
  home.set("AWS_ENDPOINT_URL_STS", "ftp://x");
  mentions(home.error(), {"AWS_ENDPOINT_URL_STS", "neither http nor https"});
  home.set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token");
  mentions(home.error(), {"'/nowhere/token' cannot be read"});
}

TEST_CASE("web identity: of a profile") {
  Home home;
  home.file("token", "jwt")
      .config("[default]\nrole_arn=arn:p\nweb_identity_token_file=~/token\nregion=cn-north-1\n");
  home.answer("POST https://sts.cn-north-1.amazonaws.com.cn/",
              sts_keys("AssumeRoleWithWebIdentity", "WEB"));
  CHECK(home.good().id_from == "role arn:p (role_arn in ~/.aws/config [default])");
}

TEST_CASE("assumed role: signed with the source profile's keys") {
  Home home;
  home.credentials("[base]\naws_access_key_id=BASE\naws_secret_access_key=x\naws_session_token=t\n")
      .config(
          "[profile top]\nrole_arn=arn:top\nsource_profile=middle\nexternal_id=e x\n"
          "duration_seconds=900\nrole_session_name=me\nregion=eu-west-1\n"
          "[profile middle]\nrole_arn=arn:middle\nsource_profile=base\n")
      .set("AWS_PROFILE", "top")
      .answer("POST https://sts.eu-west-1.amazonaws.com/", sts_keys("AssumeRole", "ROLE"));
  CHECK(home.good().id_from == "role arn:top (role_arn in ~/.aws/config [profile top])");
  REQUIRE(home.asked.size() == 2);  // the middle one first
  mentions(home.header(0, "authorization"),
           {"Credential=BASE/20270115/eu-west-1/sts/aws4_request", "content-type;host;"});
  CHECK(home.header(0, "x-amz-security-token") == "t");
  mentions(body(home.asked[0]), {"RoleArn=arn%3Amiddle", "RoleSessionName=wbshim-1800000000"});
  mentions(home.header(1, "authorization"), {"Credential=ROLE/"});
  mentions(body(home.asked[1]),
           {"DurationSeconds=900", "ExternalId=e%20x", "RoleArn=arn%3Atop", "RoleSessionName=me"});
}

TEST_CASE("assumed role: credential_source") {
  Home home;
  give_container(home);
  home.answer("POST https://sts.us-east-1.amazonaws.com/", sts_keys("AssumeRole", "ROLE"))
      .config("[default]\nrole_arn=arn:p\ncredential_source=EcsContainer\n");
  CHECK(home.good().keys.id == "ROLE");
  mentions(home.header(1, "authorization"), {"Credential=CONTAINER/"});
  home.config("[default]\nrole_arn=arn:p\ncredential_source=Ec2InstanceMetadata\n");
  mentions(home.error(), {"the instance's metadata at http://169.254.169.254", "nobody listens"});
  home.config("[default]\nrole_arn=arn:p\ncredential_source=Environment\n");
  mentions(home.error(), {"Environment", "has no keys"});
  home.config("[default]\nrole_arn=arn:p\ncredential_source=Magic\n");
  mentions(home.error(), {"'Magic'", "Ec2InstanceMetadata"});
}

TEST_CASE("assumed role: profiles that lead nowhere") {
  Home home;
  home.config(
      "[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=b\nsource_profile="
      "c\n[profile c]\nrole_arn=c\nsource_profile=default\n");
  mentions(home.error(), {"in a circle (default, b, c, default)"});
  home.config("[default]\nrole_arn=a\nsource_profile=default\n");
  mentions(home.error(), {"names itself", "aws_access_key_id"});
  home.config("[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nregion=x\n");
  mentions(home.error(), {"'b' has no keys"});
  home.config("[default]\nrole_arn=a\n");
  mentions(home.error(), {"neither source_profile nor credential_source"});
  home.config("[default]\nrole_arn=a\nsource_profile=b\nmfa_serial=m\n");
  mentions(home.error(), {"mfa_serial", "AWS_SESSION_TOKEN"});
  CHECK(home.asked.empty());
}

TEST_CASE("container: what may be asked") {
  const auto outcome = [](const std::string& url) {
    Home home;
    home.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        .answer("GET " + url, json_keys("CONTAINER", "Token"));
    auto out = home.load();
    CHECK(home.asked.size() == (out.ok() ? 1 : 0));
    return out.ok() ? "ok" : out.message();
  };
  for (const char* url : {"https://keys.example/x?y=1", "http://127.0.0.1:9/x", "http://127.9.9.9",
                          "http://[::1]/x", "http://localhost:1/", "http://169.254.170.2/x",
                          "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1"}) {
    CAPTURE(url);
    CHECK(outcome(url) == "ok");
  }
  for (const char* url :
       {"http://keys.example/x", "http://127.evil.example/", "http://169.254.169.254/x",
        "http://169.254.170.24/", "http://localhost.evil.example/"}) {
    CAPTURE(url);
    mentions(outcome(url), {"is not asked for keys", "AWS_CONTAINER_CREDENTIALS_FULL_URI"});
  }
  for (const char* url :
       {"http://127.0.0.1@evil.example/", "ftp://127.0.0.1/", "nonsense", "http://127.0.0.1/a b"}) {
    CAPTURE(url);
    CHECK(outcome(url) != "ok");
  }
  Home relative;
  relative.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/x");
  mentions(relative.error(), {"'/'"});
}

TEST_CASE("container: authorization, and answers that give no keys") {
  Home home;
  give_container(home);
  home.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic x");
  CHECK(home.good().id_from ==
        "the container's endpoint http://169.254.170.2/v2/creds "
        "(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)");
  CHECK(home.header(0, "authorization") == "Basic x");
  CHECK(home.limited.at(0).ignore_proxy);
  home.file("token", "one\n").set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home.path("token"));
  (void)home.good();
  CHECK(home.header(1, "authorization") == "one");
  home.file("token", "two");
  (void)home.good();
  CHECK(home.header(2, "authorization") == "two");
  home.file("token", "two\nX-Evil: 1");
  mentions(home.error(), {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "line break"});
  hides(home.error(), {"X-Evil"});
  home.file("token", "two").answer("GET http://169.254.170.2/v2/creds", "{", 200);
  mentions(home.error(), {"no JSON"});
  home.answer("GET http://169.254.170.2/v2/creds", "", 403);
  mentions(home.error(), {"answered 403", "authorization token"});
  home.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/other");
  mentions(home.error(), {"did not answer", "nobody listens"});
}

TEST_CASE("instance: three requests, never version 1") {
  Home home;
  give_instance(home);
  const AwsSettings aws = home.good();
  CHECK(aws.id_from == "the instance's role web (IMDS)");
  CHECK(aws.expires_ms == test::kNow_ms + 3'600'000);
  REQUIRE(home.asked.size() == 3);
  CHECK(home.header(0, "x-aws-ec2-metadata-token-ttl-seconds") == "21600");
  CHECK(home.header(1, "x-aws-ec2-metadata-token") == "imds-token");
  CHECK(home.header(2, "x-aws-ec2-metadata-token") == "imds-token");
  for (const CallLimits& limits : home.limited) {
    CHECK(limits.limit_ms == 1000);
    CHECK(limits.ignore_proxy);
  }
  home.answer(std::string("PUT ") + kImds + "/latest/api/token", "", 404);
  mentions(home.error(), {"AWS_ACCESS_KEY_ID", "asked for a token it answered 404"});
  CHECK(home.asked.size() == 3 + 1);  // one try

  Home elsewhere;
  give_instance(elsewhere, "http://[fd00:ec2::254]");
  CHECK(elsewhere.set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6").good().keys.id ==
        "INSTANCE");
  give_instance(elsewhere, "http://127.0.0.1:9");
  elsewhere.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9/");
  CHECK(elsewhere.good().keys.id == "INSTANCE");
  CHECK(elsewhere.asked.back().url == std::string("http://127.0.0.1:9") + kRolesPath + "web");
}

TEST_CASE("instance: none, or one that gives nothing") {
  Home off;
  off.set("AWS_EC2_METADATA_DISABLED", "TRUE");
  mentions(off.error(), {"AWS_ACCESS_KEY_ID", "~/.aws/credentials [default]"});
  CHECK(off.asked.empty());
  Home nobody;
  mentions(nobody.error(), {"AWS_ACCESS_KEY_ID", "http://169.254.169.254", "nobody listens"});
  Home home;
  give_instance(home);
  home.answer(std::string("GET ") + kImds + kRolesPath, "", 404);
  mentions(home.error(), {"has no role"});
  home.answer(std::string("GET ") + kImds + kRolesPath, "<html>");
  mentions(home.error(), {"asked for the name of its role it answered something else"});
  give_instance(home);
  home.answer(std::string("GET ") + kImds + kRolesPath + "web",
              R"({"Code":"AssumeRoleUnauthorizedAccess"})");
  mentions(home.error(), {"role web", "AssumeRoleUnauthorizedAccess"});
  home.answer(std::string("GET ") + kImds + kRolesPath + "web", "<html>");
  mentions(home.error(), {"no JSON"});
}
