// A home with AWS' files, variables, and a world in which nobody answers but who is told to.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "core/store/credentials.h"
#include "tests/unit/support/scratch.h"

namespace wbshim::test {

constexpr uint64_t kNow_ms = 1'800'000'000'000;  // 2027-01-15T08:00:00Z
constexpr char kLater[] = "2027-01-15T09:00:00Z";

class AwsHome {
 public:
  AwsHome() { std::filesystem::create_directory(scratch_.at(".aws")); }

  AwsHome& credentials(const std::string& text) { return file(".aws/credentials", text); }
  AwsHome& config(const std::string& text) { return file(".aws/config", text); }
  AwsHome& file(const std::string& name, const std::string& text) {
    scratch_.write(name, text);
    return *this;
  }
  AwsHome& set(const std::string& name, const std::string& value) {
    variables_[name] = value;
    return *this;
  }
  // What "METHOD URL" is answered with.
  AwsHome& answer(const std::string& request, const std::string& body, long status = 200) {
    HttpAnswer out;
    out.status = status;
    out.body = body;
    answers_[request] = out;
    return *this;
  }
  // What programs end with.
  AwsHome& program(const ProcessEnd& end) {
    program_ = end;
    return *this;
  }
  std::string path(const std::string& name) const { return scratch_.at(name); }

  AwsWorld world() {
    variables_["HOME"] = scratch_.path();
    AwsWorld out;
    out.environment = [this](const char* name) -> const char* {
      const auto at = variables_.find(name);
      return at == variables_.end() ? nullptr : at->second.c_str();
    };
    out.now_ms = [] { return kNow_ms; };
    out.ask = [this](HttpRequest request, const CallLimits& limits) {
      const auto at = answers_.find(request.method + " " + request.url);
      HttpAnswer none;
      none.failure_class = "connect";
      none.failure = "nobody listens";
      asked.push_back(std::move(request));
      limited.push_back(limits);
      return at == answers_.end() ? none : at->second;
    };
    out.run = [this](const std::vector<std::string>& words) {
      ran.push_back(words);
      return program_;
    };
    return out;
  }
  Result<AwsSettings> load() { return load_aws_settings(world()); }
  AwsSettings good() {
    auto out = load();
    REQUIRE_MESSAGE(out.ok(), (out.ok() ? "" : out.message()));
    return out.value();
  }
  std::string error() {
    auto out = load();
    return out.ok() ? "no error" : out.message();
  }
  std::string header(size_t request, const std::string& name) const {
    for (const auto& [each, value] : asked.at(request).headers) {
      if (each == name) return value;
    }
    return "missing";
  }

  std::vector<HttpRequest> asked;
  std::vector<CallLimits> limited;
  std::vector<std::vector<std::string>> ran;

 private:
  Scratch scratch_;
  std::map<std::string, std::string> variables_;
  std::map<std::string, HttpAnswer> answers_;
  ProcessEnd program_;
};

inline void mentions(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}
inline void hides(const std::string& text, std::initializer_list<const char*> secrets) {
  for (const char* each : secrets) CHECK_MESSAGE(text.find(each) == std::string::npos, text);
}

inline std::string json_keys(const std::string& id, const std::string& token_name,
                             const std::string& end = kLater) {
  return R"({"Version":1,"Code":"Success","AccessKeyId":")" + id + R"(","SecretAccessKey":"S-)" +
         id + R"(",")" + token_name + R"(":"T-)" + id + R"(","Expiration":")" + end + R"("})";
}

inline std::string sts_keys(const std::string& action, const std::string& id) {
  return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" + action +
         "Result><Credentials><AccessKeyId>" + id + "</AccessKeyId><SecretAccessKey>S-" + id +
         "</SecretAccessKey><SessionToken>T-" + id + "&amp;</SessionToken><Expiration>" + kLater +
         "</Expiration></Credentials></" + action + "Result></" + action + "Response>";
}

}  // namespace wbshim::test
