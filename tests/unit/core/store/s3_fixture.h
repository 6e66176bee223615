// An S3 store over a connection that the test answers.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <deque>
#include <optional>
#include <utility>

#include "core/store/s3_store.h"
#include "tests/unit/core/store/drive.h"

namespace wbshim::test {

inline constexpr uint64_t kNow_ms = 1369353600'000;
inline constexpr char kSecret[] = "wJalrXUtnFEMI-the-secret";
inline constexpr char kToken[] = "the-session-token";

// Answers what the test has laid out, in poll(); keeps what was asked.
class FakeHttp final : public Http {
 public:
  void start(HttpRequest request, Done done) override {
    asked.push_back(std::move(request));
    waiting.push_back(std::move(done));
  }
  size_t in_flight() const override { return waiting.size(); }
  void poll(std::vector<Store::Extra>&, int timeout_ms) override {
    if (answers.empty()) polled_ms += static_cast<uint64_t>(timeout_ms);
    while (!waiting.empty() && !answers.empty()) {
      Done done = std::move(waiting.front());
      waiting.pop_front();
      HttpAnswer answer = std::move(answers.front());
      answers.pop_front();
      done(std::move(answer));
    }
  }

  std::vector<HttpRequest> asked;
  std::deque<Done> waiting;
  std::deque<HttpAnswer> answers;
  uint64_t polled_ms = 0;  // stands for time
};

struct S3Fixture {
  S3Fixture() : S3Fixture(ObjectOptions()) {}
  explicit S3Fixture(const ObjectOptions& objects) {
    S3Setup setup;
    setup.objects = objects;
    setup.request_payer = !objects.storage_class.empty();
    setup.place = make_s3_place("s3://bkt/pre", "http://127.0.0.1:9", "us-east-1", "auto").value();
    setup.aws.keys = {"KEYID", kSecret, kToken};
    setup.aws.id_from = "AWS_ACCESS_KEY_ID";
    setup.aws.secret_from = "AWS_SECRET_ACCESS_KEY";
    setup.aws.region = "us-east-1";
    setup.aws.endpoint_from = "AWS_ENDPOINT_URL_S3";
    auto fake = std::make_unique<FakeHttp>();
    http = fake.get();
    setup.http = std::move(fake);
    setup.now_ms = [this] { return kNow_ms + http->polled_ms; };
    setup.reload = [this]() -> Result<AwsSettings> {
      reloads++;
      AwsSettings fresh;
      fresh.keys = {"NEWID", "newsecret", ""};
      return fresh;
    };
    setup.fresh = [this] { return std::exchange(renewed, std::nullopt); };
    store = make_s3_store(std::move(setup));
  }

  Driver drive() { return Driver(*store); }
  void answer(long status, const std::string& body = "",
              std::vector<std::pair<std::string, std::string>> headers = {},
              bool sent_whole = true) {
    HttpAnswer out;
    out.status = status;
    out.body = body;
    out.headers = std::move(headers);
    out.sent_whole = sent_whole;
    http->answers.push_back(std::move(out));
  }
  void fail(const std::string& failure_class, bool sent_whole, long status = 0) {
    HttpAnswer out;
    out.status = status;
    out.failure_class = failure_class;
    out.failure = "it did not work.";
    out.sent_whole = sent_whole;
    http->answers.push_back(std::move(out));
  }
  void error(long status, const std::string& code, bool sent_whole = true) {
    answer(status, "<Error><Code>" + code + "</Code><RequestId>rid</RequestId></Error>", {},
           sent_whole);
  }
  std::string sent_header(const std::string& name) const {
    for (const auto& [each, value] : http->asked.back().headers) {
      if (each == name) return value;
    }
    return "missing";
  }

  FakeHttp* http = nullptr;
  int reloads = 0;
  std::optional<AwsKeys> renewed;  // handed to the next request
  std::unique_ptr<Store> store;
};

}  // namespace wbshim::test
