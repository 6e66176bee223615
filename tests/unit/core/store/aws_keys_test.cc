#include "core/store/aws_keys.h"

#include "tests/unit/core/store/aws_home.h"

using namespace wbshim;
using test::kLater;
using test::kNow_ms;
using test::mentions;

namespace {

constexpr uint64_t kHour_ms = 3'600'000;

std::string fault_in(const std::string& json) {
  auto keys = keys_of_json(json, "Token", kNow_ms);
  return keys.ok() ? "none" : keys.message();
}

}  // namespace

TEST_CASE("aws keys: times as services and programs write them") {
  const auto good = [](const char* text) { return parse_iso_time(text).value_or(0); };
  CHECK(good(kLater) == kNow_ms + kHour_ms);
  CHECK(good("2027-01-15T09:00:00.123456Z") == kNow_ms + kHour_ms);
  CHECK(good("2027-01-15T09:00:00") == kNow_ms + kHour_ms);
  CHECK(good("2027-01-15T10:30:00+01:30") == kNow_ms + kHour_ms);
  CHECK(good("2027-01-15T07:00:00-0200") == kNow_ms + kHour_ms);
  CHECK(iso_time(kNow_ms + kHour_ms) == kLater);
  for (const char* text : {"", "soon", "2027", "2027-01-15", "2027-13-15T09:00:00Z",
                           "2027-01-15T25:00:00Z", "2027-01-15T09:00:00X", "2027-01-15T09:00:00+1",
                           "-027-01-15T09:00:00Z", "2027-01-15T09:00:00Z tomorrow"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_iso_time(text).has_value());
  }
}

TEST_CASE("aws keys: JSON") {
  auto keys = keys_of_json(test::json_keys("I", "Token"), "Token", kNow_ms);
  REQUIRE(keys.ok());
  CHECK(keys.value().keys.id == "I");
  CHECK(keys.value().keys.secret == "S-I");
  CHECK(keys.value().keys.token == "T-I");
  CHECK(keys.value().expires_ms == kNow_ms + kHour_ms);
  keys = keys_of_json(R"({"AccessKeyId":"I","SecretAccessKey":"s e c"})", "Token", kNow_ms);
  REQUIRE(keys.ok());
  CHECK(keys.value().expires_ms == 0);

  mentions(fault_in("<html>"), {"no JSON object"});
  mentions(fault_in("[1]"), {"no JSON object"});
  mentions(fault_in("{}"), {"no access key id"});
  mentions(fault_in(R"({"AccessKeyId":"I"})"), {"no secret access key"});
  mentions(fault_in(R"({"AccessKeyId":"I","SecretAccessKey":["x"]})"), {"no secret"});
  mentions(fault_in(R"({"AccessKeyId":"I\r\nX: y","SecretAccessKey":"x"})"), {"line break"});
  mentions(fault_in(R"({"AccessKeyId":"I","SecretAccessKey":"x","Token":"a b"})"), {"token"});
  mentions(fault_in(test::json_keys("I", "Token", "2027-01-15T08:00:00Z")),
           {"ended at 2027-01-15T08:00:00Z"});
  mentions(fault_in(test::json_keys("I", "Token", "tomorrow")), {"Expiration"});
}

TEST_CASE("aws keys: STS") {
  auto keys = keys_of_sts(test::sts_keys("AssumeRole", "I"), kNow_ms);
  REQUIRE(keys.ok());
  CHECK(keys.value().keys.id == "I");
  CHECK(keys.value().keys.token == "T-I&");
  CHECK(keys.value().expires_ms == kNow_ms + kHour_ms);
  CHECK_FALSE(keys_of_sts("", kNow_ms).ok());
  CHECK_FALSE(keys_of_sts("{}", kNow_ms).ok());
  const std::string whole = test::sts_keys("AssumeRole", "I");
  CHECK_FALSE(keys_of_sts(whole.substr(0, whole.size() - 5), kNow_ms).ok());  // cut off
}

TEST_CASE("aws keys: words that may be secrets are hidden") {
  const std::string secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  CHECK(without_key_like_words("+ export X=" + secret + "; done") == "+ export ***; done");
  CHECK(without_key_like_words("arn:aws:iam::123456789012:role/web may not") ==
        "arn:aws:iam::123456789012:role/web may not");
}
