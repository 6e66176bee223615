// What a server may answer: status, headers and body of any kind lead to one of the outcomes, with
// one printable line that holds no secret.
#include "core/store/s3_store.h"

#include "core/store/parts_store.h"
#include "core/util/ascii.h"
#include "core/util/display.h"
#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

namespace {

constexpr char kSecret[] = "wJalrXUtnFEMI-secret";
constexpr char kToken[] = "session-token-7";

// Gives the one answer it has been told to every request.
class OneAnswer final : public Http {
 public:
  void start(HttpRequest request, Done done) override {
    for (const auto& [name, value] : request.headers)
      demand((name + value).find_first_of("\r\n") == std::string::npos, "headers are of one line");
    waiting_.push_back(std::move(done));
  }
  size_t in_flight() const override { return waiting_.size(); }
  void poll(std::vector<Store::Extra>&, int) override {
    std::vector<Done> now = std::move(waiting_);
    waiting_.clear();
    for (const Done& done : now) done(answer);
  }
  HttpAnswer answer;

 private:
  std::vector<Done> waiting_;
};

HttpAnswer answer_of(fuzz::Input& input) {
  constexpr long kStatuses[] = {200, 204, 206, 301, 307, 400, 401, 403,
                                404, 409, 412, 429, 500, 503, 0,   100};
  constexpr const char* kFailures[] = {"", "connect", "tls", "timeout", "broken"};
  HttpAnswer answer;
  answer.status = kStatuses[input.byte() % std::size(kStatuses)];
  const uint8_t how = input.byte();
  answer.sent_whole = (how & 1) != 0;
  answer.failure_class = kFailures[how / 2 % std::size(kFailures)];
  answer.failure = input.until('\n');
  for (int i = how / 16; i > 0; i--) {
    std::string name = lower_case(input.until(':'));
    answer.headers.emplace_back(std::move(name), input.until('\n'));
  }
  answer.body = input.rest();
  return answer;
}

void check(const StoreResult& result, bool reading) {
  demand(printable(result.message) == result.message, "a message is one printable line");
  demand(result.message.find(kSecret) == std::string::npos &&
             result.message.find(kToken) == std::string::npos,
         "a message holds no secret");
  const bool done =
      result.outcome == StoreOutcome::Stored || result.outcome == StoreOutcome::Absent;
  demand(done == result.error_class.empty(), "a failure has a class, and nothing else has");
  demand(done || !result.message.empty(), "a failure has a message");
  demand(!reading || result.outcome != StoreOutcome::Unknown, "reading is never unknown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static OneAnswer* http = nullptr;
  static const std::unique_ptr<Store> store = [] {
    S3Setup setup;
    setup.place = make_s3_place("s3://bkt/pre", "http://127.0.0.1:9", "us-east-1", "auto").value();
    setup.aws.keys = {"KEYID", kSecret, kToken};
    setup.aws.id_from = "AWS_ACCESS_KEY_ID";
    setup.aws.secret_from = "AWS_SECRET_ACCESS_KEY";
    setup.aws.region = "us-east-1";
    setup.now_ms = [] { return uint64_t{1369353600000}; };
    setup.checksum = ChecksumMode::Crc32c;  // auto would remember an answer
    auto one = std::make_unique<OneAnswer>();
    http = one.get();
    setup.http = std::move(one);
    return make_s3_store(std::move(setup));
  }();
  fuzz::Input input(data, size);
  const uint8_t verb = input.byte() % 11;
  http->answer = answer_of(input);
  int answers = 0;
  const bool reading = verb != 0 && verb != 1 && verb != 6 && verb != 8;
  const Store::Done done = [&](const StoreResult& result) {
    answers++;
    check(result, reading);
  };
  static const auto body = std::make_shared<const Body>(Body{"some bytes", "", 7});
  ObjectMeta meta;
  meta.mode = 0100644;
  const PartsUpload upload{"key", "id"};
  PartsStore& parts = *store->parts();
  switch (verb) {
    case 0:
      store->put("key", body, meta, 1369353600000, done);
      break;
    case 1:
      store->remove("key", 1369353600000, done);
      break;
    case 2:
      store->head("key", done);
      break;
    case 3:
      store->get("key", done);
      break;
    case 4:
      parts.begin("key", meta, done);
      break;
    case 5:
      parts.put(upload, 1, body, done);
      break;
    case 6:
      parts.complete(upload, {"a", "b"}, 1369353600000, done);
      break;
    case 7:
      parts.abort(upload, done);
      break;
    case 8:
      parts.copy_onto_itself("key", meta, 1369353600000, done);
      break;
    case 9:
      parts.list_parts(upload, [&](const StoredParts&) { answers++; });
      break;
    default:
      parts.list_uploads([&](const OpenUploads&) { answers++; });
  }
  std::vector<Store::Extra> none;
  store->poll(none, 0);
  // A list goes on as long as it is told that there is more.
  const bool list = verb >= 9;
  while (list && store->in_flight() > 0) store->poll(none, 0);
  demand(answers == 1, "every request is answered once");
  return 0;
}
