#include "core/store/s3_store.h"

#include <algorithm>
#include <charconv>
#include <deque>

#include "core/store/clock_skew.h"
#include "core/store/crypto.h"
#include "core/store/key_escape.h"
#include "core/store/object_headers.h"
#include "core/store/s3_call.h"
#include "core/store/s3_error.h"
#include "core/store/s3_listing.h"
#include "core/store/s3_message.h"
#include "core/store/s3_parts.h"
#include "core/store/s3_probe.h"
#include "core/store/xml_reader.h"
#include "core/util/log.h"

namespace wbshim {
namespace {

constexpr char kMayNotList[] =
    "access key id '{id}' ({id_from}) may not list the bucket; allow s3:ListBucket on it";

using Verb = S3Verb;

uint64_t number_in(std::string_view text) {
  uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// How long the server asks to wait, a minute at most.
uint64_t retry_after_of(const HttpAnswer& answer, uint64_t now_ms) {
  constexpr uint64_t kLongest = 60000;
  const std::string_view text = answer.header("retry-after");
  if (text.empty()) return 0;
  if (const auto date = parse_http_date(text)) {
    const uint64_t until = *date > 0 ? static_cast<uint64_t>(*date) : 0;
    return until > now_ms ? std::min(until - now_ms, kLongest) : 0;
  }
  return std::min(number_in(text), kLongest / 1000) * 1000;
}

// The upload in parts is not there any more, or its parts make no object.
bool begins_anew(std::string_view code) {
  for (const char* each : {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"}) {
    if (code == each) return true;
  }
  return false;
}

class S3Store final : public Store {
 public:
  explicit S3Store(S3Setup setup)
      : setup_(std::move(setup)),
        signer_(setup_.aws.keys, setup_.aws.region),
        messages_(setup_.place, setup_.aws),
        sums_(setup_.checksum, setup_.place.aws),
        parts_(setup_.place, setup_.objects,
               [this](S3Call call, Done done) { send(std::move(call), std::move(done)); }),
        empty_hash_(sha256_hex("")) {}

  void put(const std::string& key, std::shared_ptr<const Body> body, const ObjectMeta& meta,
           uint64_t dated_ms, Done done) override;
  void remove(const std::string& key, uint64_t dated_ms, Done done) override {
    send({.verb = Verb::Delete, .key = key, .dated_ms = dated_ms}, std::move(done));
  }
  void head(const std::string& key, Done done) override {
    send({.verb = Verb::Head, .key = key}, std::move(done));
  }
  void get(const std::string& key, Done done) override {
    send({.verb = Verb::Get, .key = key}, std::move(done));
  }
  void list(const std::string& directory, const std::string& page, Listed done) override;
  PartsStore* parts() override { return &parts_; }
  Status probe(int timeout_ms) override;
  size_t in_flight() const override { return setup_.http->in_flight() + decided_.size(); }
  void poll(std::vector<Extra>& extras, int timeout_ms) override;

 private:
  struct Sent {  // what the answer is judged by
    Verb verb;
    std::string what;
    uint64_t dated_ms;
    uint64_t sent_ms;
    unsigned keys;
    std::shared_ptr<const Body> body;
  };
  struct Decided {  // without asking the server
    Done done;
    StoreResult result;
  };

  void send(S3Call call, Done done);
  bool decide_here(const S3Call& call, const std::string& what, Done& done);
  void start(const Sent& sent, sigv4::Request request, std::function<void(HttpAnswer)> done);
  Listing listing_of(const Sent& sent, const std::string& prefix, HttpAnswer answer);
  StoreResult result_of(const Sent& sent, HttpAnswer answer);
  StoreResult success_of(const Sent& sent, HttpAnswer answer) const;
  Checksums::Mismatch encryption_mismatch(const HttpAnswer& answer) const;
  void spoil(StoreResult& result, const std::string& what, Checksums::Mismatch mismatch) const;
  StoreResult failure_of(const std::string& what, const HttpAnswer& answer) const;
  StoreResult refusal_of(Verb verb, const std::string& what, const HttpAnswer& answer) const;
  bool look_for_new_keys();
  bool learn_region(std::string_view region);
  bool use(const AwsKeys& fresh);
  unsigned present_keys();
  bool mended(const Sent& sent, const HttpAnswer& answer, const StoreResult& result);
  // put and remove are dated by the caller's clock, the others by ours.
  ClockSkew& skew(Verb verb) { return traits_of(verb).dated ? callers_skew_ : our_skew_; }

  S3Setup setup_;
  sigv4::Signer signer_;
  S3Messages messages_;
  Checksums sums_;
  S3Parts parts_;
  std::string empty_hash_;
  std::deque<Decided> decided_;
  uint64_t reloaded_ms_ = 0;
  unsigned keys_ = 0;                      // goes up with new ones, and with another region
  std::vector<std::string> regions_;       // that the bucket was said to be in
  mutable bool told_unencrypted_ = false;  // once is enough
  ClockSkew callers_skew_;
  ClockSkew our_skew_;
};

void S3Store::put(const std::string& key, std::shared_ptr<const Body> body, const ObjectMeta& meta,
                  uint64_t dated_ms, Done done) {
  auto headers = object_headers(meta, key, setup_.objects);
  if (sums_.sends()) headers.emplace_back(kChecksumHeader, Checksums::header_of(body.get()));
  send({.verb = Verb::Put,
        .key = key,
        .headers = std::move(headers),
        .body = std::move(body),
        .dated_ms = dated_ms},
       std::move(done));
}

// True: the key can be none of S3's, and done hears of it.
bool S3Store::decide_here(const S3Call& call, const std::string& what, Done& done) {
  const size_t size = setup_.place.object_key(call.key).size();
  if (call.verb == Verb::ListUploads || (!call.key.empty() && size <= kMaxS3Key)) return false;
  const bool none = call.key.empty();
  StoreResult result;
  result.outcome = StoreOutcome::Refused;
  result.error_class = none ? "InvalidKey" : "KeyTooLong";
  result.message = messages_.other(
      what, none ? "the key is empty"
                 : "the key has " + std::to_string(size) + " bytes, S3 takes at most " +
                       std::to_string(kMaxS3Key) +
                       "; use shorter names or a shorter prefix in WBSHIM_STORE_URL");
  decided_.push_back({std::move(done), std::move(result)});
  return true;
}

void S3Store::send(S3Call call, Done done) {
  const S3Place& place = setup_.place;
  const S3Traits& traits = traits_of(call.verb);
  const std::string what = std::string(traits.method) + " '" + call.key + "'";
  if (decide_here(call, what, done)) return;
  sigv4::Request request;
  request.path = place.path_of(call.key.empty() ? "" : place.object_key(call.key));
  request.query = std::move(call.query);
  request.headers = std::move(call.headers);
  request.payload_hash = !call.body                      ? empty_hash_
                         : call.body->sha256_hex.empty() ? sha256_hex(call.body->bytes)
                                                         : call.body->sha256_hex;
  const uint64_t now = setup_.now_ms();
  const Sent sent{call.verb, what,           traits.dated ? call.dated_ms : now,
                  now,       present_keys(), std::move(call.body)};
  start(sent, std::move(request), [this, sent, done = std::move(done)](HttpAnswer answer) {
    done(result_of(sent, std::move(answer)));
  });
}

// What is signed is what is sent.
void S3Store::start(const Sent& sent, sigv4::Request request,
                    std::function<void(HttpAnswer)> done) {
  request.method = traits_of(sent.verb).method;
  request.headers.emplace_back("host", setup_.place.host);
  if (setup_.request_payer) request.headers.emplace_back("x-amz-request-payer", "requester");
  signer_.sign(request, skew(sent.verb).corrected(sent.dated_ms));
  HttpRequest http;
  http.method = request.method;
  http.url = setup_.place.url_of(request.path);
  if (!request.query.empty()) http.url += "?" + sigv4::canonical_query(request.query);
  http.headers = std::move(request.headers);
  if (sent.body) http.body = std::shared_ptr<const std::string>(sent.body, &sent.body->bytes);
  setup_.http->start(std::move(http), std::move(done));
}

void S3Store::list(const std::string& directory, const std::string& page, Listed done) {
  const S3Place& place = setup_.place;
  const std::string prefix =
      directory.empty() ? place.directory_key() : place.object_key(directory);
  const std::string what = "list '" + directory + "'";
  sigv4::Request request;
  request.path = place.path_of("");
  // Names come back encoded: XML has no way to hold some characters of keys.
  request.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"delimiter", "/"}};
  request.query.emplace_back("prefix", prefix);
  if (!page.empty()) request.query.emplace_back("continuation-token", page);
  request.payload_hash = empty_hash_;
  const uint64_t now = setup_.now_ms();
  const Sent sent{Verb::List, what, now, now, present_keys(), nullptr};
  start(sent, std::move(request), [this, sent, prefix, done = std::move(done)](HttpAnswer answer) {
    done(listing_of(sent, prefix, std::move(answer)));
  });
}

Listing S3Store::listing_of(const Sent& sent, const std::string& prefix, HttpAnswer answer) {
  Listing out;
  auto found = answer.status == 200 && answer.failure_class.empty() ? parse_s3_listing(answer.body)
                                                                    : std::optional<S3Listing>();
  if (!found) {
    const bool other = answer.status >= 200 && answer.status <= 299 && answer.failure_class.empty();
    if (other) answer.failure = "the answer is no list of S3's";
    StoreResult result = other ? failure_of(sent.what, answer) : result_of(sent, std::move(answer));
    out.outcome = result.outcome == StoreOutcome::Unknown ? StoreOutcome::TryLater : result.outcome;
    out.error_class = std::move(result.error_class);
    out.message = std::move(result.message);
    return out;
  }
  out.outcome = StoreOutcome::Stored;
  // Some servers answer with keys of another prefix when that one has nothing.
  const size_t own = setup_.place.directory_key().size();
  const auto ours = [&](const std::string& key) {
    return key.size() > own && key.compare(0, prefix.size(), prefix) == 0;
  };
  for (S3Listing::Object& object : found->objects) {
    if (!ours(object.key)) continue;
    out.objects.push_back(
        {unescape_key(object.key.substr(own)), std::move(object.etag), object.size});
  }
  for (const std::string& each : found->prefixes) {
    if (ours(each) && each != prefix) out.directories.push_back(unescape_key(each.substr(own)));
  }
  if (found->truncated) out.next = std::move(found->token);
  return out;
}

StoreResult S3Store::result_of(const Sent& sent, HttpAnswer answer) {
  const Verb verb = sent.verb;
  const std::string& what = sent.what;
  // A refusal for the sake of the checksum, which is left out from now on.
  const bool learnt = verb == Verb::Put && sums_.learn(answer);
  const bool whole = answer.failure_class.empty();
  StoreResult result;
  // It has begun to answer before it knew how it would end.
  if (traits_of(verb).whole_body && whole && answer.status == 200 &&
      answer.body.find("<Error>") != std::string::npos)
    answer.status = 500;
  if (answer.status >= 200 && answer.status <= 299 && whole) {
    result = success_of(sent, std::move(answer));
  } else if (answer.status >= 300) {
    result = refusal_of(verb, what, answer);
    result.mended =
        mended(sent, answer, result) || (learnt && result.outcome == StoreOutcome::Refused);
    if (result.mended) result.outcome = StoreOutcome::TryLater;
  } else {
    result = failure_of(what, answer);
  }
  if (!traits_of(verb).may_land && result.outcome == StoreOutcome::Unknown)
    result.outcome = StoreOutcome::TryLater;
  return result;
}

// Whether the cause of a refusal is gone by now.
bool S3Store::mended(const Sent& sent, const HttpAnswer& answer, const StoreResult& result) {
  const S3Error error = parse_s3_error(answer.body);
  const S3Verdict verdict = judge_s3_error(answer.status, error.code, true);
  if (verdict.about_region) {
    const std::string_view named = answer.header("x-amz-bucket-region");
    if (learn_region(named.empty() ? error.region : named) || sent.keys != keys_) return true;
  }
  if (verdict.about_time && answer.header("age").empty()) {
    const uint64_t now = setup_.now_ms();
    const uint64_t took = now > sent.sent_ms ? now - sent.sent_ms : 0;
    if (skew(sent.verb).refused(sent.dated_ms, took, answer.header("date"))) return true;
  }
  if (result.outcome != StoreOutcome::Credentials) return false;
  // The first refusal finds the new keys; the others were sent with the old ones.
  return look_for_new_keys() || sent.keys != keys_;
}

StoreResult S3Store::success_of(const Sent& sent, HttpAnswer answer) const {
  const Verb verb = sent.verb;
  const std::string& what = sent.what;
  StoreResult result;
  result.outcome = StoreOutcome::Stored;
  result.etag = unquoted(answer.header("etag"));
  if (verb == Verb::Delete || verb == Verb::Abort) return result;
  if (traits_of(verb).whole_body) {
    if (verb == Verb::Begin) spoil(result, what, encryption_mismatch(answer));
    result.body = std::move(answer.body);
    return result;
  }
  if (result.etag.empty()) {
    // A captive portal or a web server says 200 to anything.
    result.outcome = StoreOutcome::Unknown;
    result.error_class = "NoETag";
    result.message = messages_.other(
        what, "the answer " + std::to_string(answer.status) +
                  " has no ETag, so it is not S3's; is the endpoint right, and no proxy between?");
    return result;
  }
  if (verb == Verb::Put || verb == Verb::Part) {
    Checksums::Mismatch mismatch = sums_.compare(sent.body.get(), answer);
    if (mismatch.why.empty() && verb == Verb::Put) mismatch = encryption_mismatch(answer);
    spoil(result, what, std::move(mismatch));
    return result;
  }
  result.generation = number_in(answer.header(kGenerationHeader));
  result.size = number_in(answer.header("content-length"));
  result.meta = object_meta([&](std::string_view name) { return answer.header(name); });
  if (verb == Verb::Head) return result;
  // A body whose end is only the connection's may be cut short.
  const bool chunked = answer.header("transfer-encoding") == "chunked";
  if (!chunked && (answer.header("content-length").empty() || result.size != answer.body.size())) {
    answer.failure = "the object's end did not come";
    return failure_of(what, answer);
  }
  result.size = answer.body.size();
  result.body = std::move(answer.body);
  return result;
}

void S3Store::spoil(StoreResult& result, const std::string& what,
                    Checksums::Mismatch mismatch) const {
  if (mismatch.why.empty()) return;
  result.outcome = StoreOutcome::Unknown;
  result.error_class = std::move(mismatch.error_class);
  result.message = messages_.other(what, mismatch.why);
}

Checksums::Mismatch S3Store::encryption_mismatch(const HttpAnswer& answer) const {
  const auto header = [&](std::string_view name) { return answer.header(name); };
  const Encryption found = encryption_of(setup_.objects, header);
  if (found == Encryption::Other) {
    return {
        "NotEncrypted",
        "the server does not say that it has encrypted the object with " + setup_.objects.sse +
            (setup_.objects.kms_key.empty() ? "" : " and key '" + setup_.objects.kms_key + "'") +
            "; correct WBSHIM_S3_SSE or WBSHIM_S3_SSE_KMS_KEY_ID, or the server"};
  }
  if (found == Encryption::NotSaid && !told_unencrypted_) {
    told_unencrypted_ = true;
    log_warn(setup_.place.name() +
             ": the server takes WBSHIM_S3_SSE=AES256 and does not say that it has encrypted "
             "anything");
  }
  return {};
}

StoreResult S3Store::failure_of(const std::string& what, const HttpAnswer& answer) const {
  StoreResult result;
  result.outcome = answer.sent_whole ? StoreOutcome::Unknown : StoreOutcome::TryLater;
  result.error_class = answer.failure_class.empty() ? "broken" : answer.failure_class;
  result.message = messages_.failed(what, answer);
  return result;
}

StoreResult S3Store::refusal_of(Verb verb, const std::string& what,
                                const HttpAnswer& answer) const {
  const S3Error error = parse_s3_error(answer.body);
  StoreResult result;
  const bool no_object = answer.status == 404 && (error.code == "NoSuchKey" || verb == Verb::Head);
  const bool of_object = verb == Verb::Delete || verb == Verb::Head || verb == Verb::Get;
  if (no_object && of_object) {
    result.outcome = verb == Verb::Delete ? StoreOutcome::Stored : StoreOutcome::Absent;
    return result;
  }
  if (traits_of(verb).of_upload && begins_anew(error.code)) {
    result.outcome = verb == Verb::Abort ? StoreOutcome::Stored : StoreOutcome::Absent;
    return result;
  }
  S3Verdict verdict = judge_s3_error(answer.status, error.code, answer.sent_whole);
  if (verb == Verb::List && answer.status == 403 && verdict.outcome == StoreOutcome::Refused)
    verdict.mend = kMayNotList;
  std::string mend = verdict.mend;
  const bool of_object_made = verb == Verb::Put || verb == Verb::Begin || verb == Verb::Copy;
  const std::string wishes = of_object_made ? setup_.objects.named() : "";
  // Ceph says InvalidAccessKeyId of a KMS key that it does not know.
  const bool of_wishes =
      verdict.outcome == StoreOutcome::Refused || !setup_.objects.kms_key.empty();
  if (!wishes.empty() && of_wishes) {
    mend += "; it was sent with " + wishes;
    verdict.mend = mend.c_str();
  }
  result.outcome = verdict.outcome;
  result.error_class = error.code.empty() ? "http_" + std::to_string(answer.status) : error.code;
  result.message = messages_.refused(what, answer, error, verdict);
  result.throttled = verdict.throttled;
  result.retry_after_ms = retry_after_of(answer, setup_.now_ms());
  return result;
}

// True: it is another than was signed for. Wherever a redirect points, nothing is sent there: of what
// the server says only the region's name is taken.
bool S3Store::learn_region(std::string_view region) {
  constexpr size_t kMost = 3;
  std::string& ours = setup_.aws.region;
  const std::string theirs(region);
  if (theirs == ours || !is_region_name(theirs) || regions_.size() >= kMost) return false;
  if (std::find(regions_.begin(), regions_.end(), theirs) != regions_.end()) return false;
  log_info(messages_.other("AWS_REGION", "the bucket is in region '" + theirs + "', not '" + ours +
                                             "'; set it, to save a request at each start"));
  regions_.push_back(theirs);
  move_to_region(setup_.place, ours, theirs);
  ours = theirs;
  keys_++;
  signer_ = sigv4::Signer(setup_.aws.keys, ours);
  return true;
}

// True: there are some.
bool S3Store::look_for_new_keys() {
  const uint64_t now = setup_.now_ms();
  if (!setup_.reload || now - reloaded_ms_ < kReloadEvery_ms) return false;
  reloaded_ms_ = now;
  auto fresh = setup_.reload();
  if (!fresh) return false;
  return use(fresh.value());
}

// True: they are others than those so far.
bool S3Store::use(const AwsKeys& fresh) {
  const sigv4::Keys old = setup_.aws.keys;
  const sigv4::Keys& keys = fresh.keys;
  static_cast<AwsKeys&>(setup_.aws) = fresh;
  if (old.id == keys.id && old.secret == keys.secret && old.token == keys.token) return false;
  keys_++;
  signer_ = sigv4::Signer(setup_.aws.keys, setup_.aws.region);
  return true;
}

// Which keys a request that begins now is signed with.
unsigned S3Store::present_keys() {
  const std::optional<AwsKeys> fresh = setup_.fresh ? setup_.fresh() : std::nullopt;
  if (fresh) use(*fresh);
  return keys_;
}

void S3Store::poll(std::vector<Extra>& extras, int timeout_ms) {
  const bool busy = !decided_.empty();
  std::deque<Decided> decided;
  decided.swap(decided_);
  for (Decided& each : decided) each.done(std::move(each.result));
  setup_.http->poll(extras, busy ? 0 : timeout_ms);
}

Status S3Store::probe(int timeout_ms) {
  return probe_s3(*this, setup_.now_ms, timeout_ms, messages_);
}

}  // namespace

std::unique_ptr<Store> make_s3_store(S3Setup setup) {
  return std::make_unique<S3Store>(std::move(setup));
}

}  // namespace wbshim
