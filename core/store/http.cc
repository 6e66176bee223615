#include "core/store/http.h"

#include "core/base/fault.h"
#include "core/util/clock.h"
#include "core/util/rate_limit.h"

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>

namespace wbshim {
namespace {

// Up to this size the body is cheaper than the round trip that asks for leave to send it.
constexpr size_t kExpectAbove = size_t{1024} * 1024;
// libcurl puts less than 64 KiB behind the headers at once.
constexpr size_t kOnePiece = size_t{60} * 1024;
// Nothing that answers in earnest needs more for its headers, or for what is no content.
constexpr size_t kMaxHead = size_t{256} * 1024;
constexpr size_t kMaxAnswer = size_t{1024} * 1024;
// Servers close what was idle for longer; a request on a dead connection costs a repetition.
constexpr long kMaxIdleSeconds = 20;
constexpr long kSlowestBytesPerMs = 8;
// Under a limit of bytes per second: a body that takes longer than this goes out bit by bit, in pieces
// of at most so much time and so many bytes; the next one begins when so little is left of those under
// way, so that none of them has to wait for its share until the server gives up.
constexpr uint64_t kAtOnceMs = 20;
constexpr uint64_t kPieceBytes = 16384;
constexpr uint64_t kBacklogMs = 200;
constexpr int kForEver_ms = 3600 * 1000;

// The limit of bytes per second, with its clock.
class Pace {
 public:
  explicit Pace(uint64_t bytes_per_second) : limit_(bytes_per_second) {}
  bool limits() const { return limit_.limits(); }
  uint64_t bytes_in(uint64_t ms) const { return limit_.bytes_per_second() * ms / 1000; }
  // What is worth a system call of its own.
  uint64_t piece() const { return std::clamp<uint64_t>(bytes_in(kAtOnceMs), 1, kPieceBytes); }
  uint64_t allowed() { return limit_.allowed(clock_.now_ms()); }
  void take(uint64_t bytes) { limit_.take(bytes, clock_.now_ms()); }
  int wait_ms() {
    const uint64_t now = clock_.now_ms();
    return static_cast<int>(std::min<uint64_t>(limit_.ready_at_ms(piece(), now) - now, 1000));
  }

 private:
  SystemClock clock_;
  RateLimit limit_;
};

// One easy handle and the request that uses it.
struct Transfer {
  Transfer() : easy(curl_easy_init()) {}
  ~Transfer() {
    curl_slist_free_all(header_list);
    curl_easy_cleanup(easy);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy;
  curl_slist* header_list = nullptr;
  HttpRequest request;
  Http::Done done;
  HttpAnswer answer;
  size_t offset = 0;             // into the body
  bool body_handed_out = false;  // once to the end; stays true when libcurl rewinds
  bool in_one_piece = false;     // goes out with one call of send(), the headers before it
  bool paused = false;           // until the limit allows more
  Pace* pace = nullptr;
  bool head_whole = false;  // the answer's headers came to their end
  size_t head_size = 0;     // bytes of headers, interim answers included
  size_t answer_size = 0;   // bytes of the body that came, kept or not
  std::array<char, CURL_ERROR_SIZE> error{};

  size_t unsent() const { return in_one_piece ? 0 : body().size() - offset; }
  const std::string& body() const {
    static const std::string none;
    return request.body ? *request.body : none;
  }
};

Transfer& transfer_of(void* user) {
  return *static_cast<Transfer*>(user);
}

size_t give_body(char* to, size_t, size_t room, void* user) {
  Transfer& t = transfer_of(user);
  size_t n = std::min(room, t.body().size() - t.offset);
  if (n > 0 && t.pace->limits()) {
    const uint64_t allowed = t.pace->allowed();
    t.paused = allowed < std::min<uint64_t>(n, t.pace->piece());
    if (t.paused) return CURL_READFUNC_PAUSE;
    n = std::min<uint64_t>(n, allowed);
    t.pace->take(n);
  }
  memcpy(to, t.body().data() + t.offset, n);
  t.offset += n;
  if (t.offset == t.body().size()) t.body_handed_out = true;
  if (t.body_handed_out) WBSHIM_FAULT(HttpSent);
  return n;
}

int note_sent(CURL*, curl_infotype kind, char*, size_t, void*) {
  if (kind == CURLINFO_DATA_OUT) WBSHIM_FAULT(HttpSent);
  return 0;
}

int rewind_body(void* user, curl_off_t offset, int origin) {
  Transfer& t = transfer_of(user);
  if (origin != SEEK_SET || offset < 0 || static_cast<size_t>(offset) > t.body().size()) {
    return CURL_SEEKFUNC_FAIL;
  }
  t.offset = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

size_t take_header(char* data, size_t, size_t size, void* user) {
  Transfer& t = transfer_of(user);
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.substr(0, 5) == "HTTP/") {  // the head of an answer; what came before was interim
    t.answer.headers.clear();
    t.answer.body.clear();
    t.head_whole = false;
    return size;
  }
  t.head_size += size;
  if (t.head_size > kMaxHead) return 0;  // ends the transfer
  if (line.empty()) t.head_whole = true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  t.answer.headers.emplace_back(std::move(name), value);
  return size;
}

size_t take_body(char* data, size_t, size_t size, void* user) {
  Transfer& t = transfer_of(user);
  long status = 0;
  curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
  size_t keep = size;
  t.answer_size += size;
  const bool content = t.request.method == "GET" && status >= 200 && status <= 299;
  if (!content && t.answer_size > kMaxAnswer) return 0;  // ends the transfer
  if (status < 200 || status > 299) {
    keep = std::min(size, kMaxErrorBody - std::min(kMaxErrorBody, t.answer.body.size()));
  }
  t.answer.body.append(data, keep);
  return size;
}

const char* failure_class_of(CURLcode code, bool anything_sent) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return "connect";
    case CURLE_OPERATION_TIMEDOUT:
      return anything_sent ? "timeout" : "connect";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return "tls";
    default:
      return "broken";
  }
}

class CurlHttp final : public Http {
 public:
  CurlHttp(const HttpOptions& options, CURLM* multi)
      : options_(options), multi_(multi), pace_(options.bytes_per_second) {
    const long connections = std::max(1L, static_cast<long>(options.max_connections));
    capacity_ = static_cast<size_t>(connections);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
  }
  ~CurlHttp() override {
    for (const auto& transfer : running_) curl_multi_remove_handle(multi_, transfer->easy);
    running_.clear();
    idle_.clear();
    curl_multi_cleanup(multi_);
  }
  CurlHttp(const CurlHttp&) = delete;
  CurlHttp& operator=(const CurlHttp&) = delete;

  void start(HttpRequest request, Done done) override {
    waiting_.push_back({std::move(request), std::move(done)});
    fill();
  }
  size_t in_flight() const override { return running_.size() + waiting_.size(); }
  void poll(std::vector<Store::Extra>& extras, int timeout_ms) override;

 private:
  struct Waiting {
    HttpRequest request;
    Done done;
  };

  void fill();
  std::deque<Waiting>::iterator next_waiting();
  void go_on();
  bool held() const;
  bool launch(Transfer& t);
  void configure(Transfer& t) const;
  void configure_method(Transfer& t) const;
  void finish(Transfer& t, CURLcode code) const;
  bool turn();  // true: something was completed

  HttpOptions options_;
  CURLM* multi_;
  Pace pace_;
  size_t capacity_;
  std::deque<Waiting> waiting_;
  std::vector<std::unique_ptr<Transfer>> running_;
  std::vector<std::unique_ptr<Transfer>> idle_;
};

void CurlHttp::configure_method(Transfer& t) const {
  const std::string& method = t.request.method;
  if (method == "HEAD") {
    curl_easy_setopt(t.easy, CURLOPT_NOBODY, 1L);
  } else if (method == "POST" || (method == "PUT" && t.in_one_piece)) {
    // libcurl sends what is posted together with the headers, and an upload's bytes after them.
    curl_easy_setopt(t.easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(t.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.body().size()));
    curl_easy_setopt(t.easy, CURLOPT_POSTFIELDS, t.body().data());
    if (WBSHIM_FAULTS != 0) {  // give_body() is not asked
      curl_easy_setopt(t.easy, CURLOPT_DEBUGFUNCTION, note_sent);
      curl_easy_setopt(t.easy, CURLOPT_VERBOSE, 1L);
    }
  } else if (method == "PUT") {
    curl_easy_setopt(t.easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(t.easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(t.body().size()));
    curl_easy_setopt(t.easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(t.easy, CURLOPT_READDATA, &t);
    curl_easy_setopt(t.easy, CURLOPT_SEEKFUNCTION, rewind_body);
    curl_easy_setopt(t.easy, CURLOPT_SEEKDATA, &t);
  } else {
    curl_easy_setopt(t.easy, CURLOPT_HTTPGET, 1L);
    if (method != "GET") curl_easy_setopt(t.easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void CurlHttp::configure(Transfer& t) const {
  curl_easy_reset(t.easy);  // keeps connections, names and TLS sessions
  curl_easy_setopt(t.easy, CURLOPT_URL, t.request.url.c_str());
  curl_easy_setopt(t.easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(t.easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(t.easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(t.easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(t.easy, CURLOPT_USERAGENT, "wbshim/" WBSHIM_VERSION);
  curl_easy_setopt(t.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(t.easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(t.easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(t.easy, CURLOPT_CONNECTTIMEOUT_MS, options_.connect_timeout_ms);
  curl_easy_setopt(t.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(t.easy, CURLOPT_LOW_SPEED_TIME, options_.stall_timeout_s);
  // And in all, for a server that sends a byte now and then.
  const auto size = static_cast<long>(t.body().size());
  long most_ms = options_.stall_timeout_s * 4000 + size / kSlowestBytesPerMs;
  if (pace_.limits())
    most_ms += size / std::max(1L, static_cast<long>(pace_.bytes_in(1000))) * 4000;
  curl_easy_setopt(t.easy, CURLOPT_TIMEOUT_MS, most_ms);
  curl_easy_setopt(t.easy, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  curl_easy_setopt(t.easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(t.easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  if (options_.ignore_proxy) curl_easy_setopt(t.easy, CURLOPT_PROXY, "");
  curl_easy_setopt(t.easy, CURLOPT_ERRORBUFFER, t.error.data());
  curl_easy_setopt(t.easy, CURLOPT_PRIVATE, &t);
  curl_easy_setopt(t.easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(t.easy, CURLOPT_HEADERDATA, &t);
  curl_easy_setopt(t.easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(t.easy, CURLOPT_WRITEDATA, &t);
  configure_method(t);
}

bool CurlHttp::launch(Transfer& t) {
  if (t.easy == nullptr) return false;
  configure(t);
  curl_slist_free_all(t.header_list);
  t.header_list = nullptr;
  const auto add = [&t](const std::string& line) {
    curl_slist* longer = curl_slist_append(t.header_list, line.c_str());
    if (longer == nullptr) return false;
    t.header_list = longer;
    return true;
  };
  size_t head = t.request.method.size() + t.request.url.size();
  for (const auto& [name, value] : t.request.headers) {
    // "name;" is how libcurl is told to send a header without a value.
    std::string line = name;
    line.append(value.empty() ? ";" : ": ").append(value);
    if (!add(line)) return false;
    head += line.size() + 2;
  }
  if (t.body().size() <= kExpectAbove && !add("Expect:")) return false;
  curl_easy_setopt(t.easy, CURLOPT_HTTPHEADER, t.header_list);
  pace_.take(head + (t.in_one_piece ? t.body().size() : 0));
  return curl_multi_add_handle(multi_, t.easy) == CURLM_OK;
}

// The first that may go now.
std::deque<CurlHttp::Waiting>::iterator CurlHttp::next_waiting() {
  const auto has_body = [](const Waiting& each) {
    return each.request.body && !each.request.body->empty();
  };
  if (!pace_.limits()) return waiting_.begin();
  uint64_t unsent = 0;
  for (const auto& t : running_) unsent += t->unsent();
  if (pace_.allowed() > 0 && unsent <= pace_.bytes_in(kBacklogMs)) return waiting_.begin();
  return std::find_if_not(waiting_.begin(), waiting_.end(), has_body);
}

// Bodies that waited for their share.
void CurlHttp::go_on() {
  if (!pace_.limits()) return;
  for (const auto& t : running_) {
    if (pace_.allowed() < pace_.piece()) return;
    if (!t->paused) continue;
    t->paused = false;  // give_body() may say so again, at once
    curl_easy_pause(t->easy, CURLPAUSE_CONT);
  }
}

// Something waits for nothing but its share.
bool CurlHttp::held() const {
  if (!pace_.limits()) return false;
  return (!waiting_.empty() && running_.size() < capacity_) ||
         std::any_of(running_.begin(), running_.end(), [](const auto& t) { return t->paused; });
}

void CurlHttp::fill() {
  while (!waiting_.empty() && running_.size() < capacity_) {
    const auto next = next_waiting();
    if (next == waiting_.end()) return;
    std::unique_ptr<Transfer> t;
    if (idle_.empty()) {
      t = std::make_unique<Transfer>();
    } else {
      t = std::move(idle_.back());
      idle_.pop_back();
    }
    t->request = std::move(next->request);
    t->done = std::move(next->done);
    waiting_.erase(next);
    t->answer = {};
    t->offset = 0;
    t->body_handed_out = false;
    t->paused = false;
    t->pace = &pace_;
    const size_t size = t->body().size();
    const bool small = size > 0 && size <= kOnePiece;
    t->in_one_piece = t->request.method == "POST" ||
                      (small && (!pace_.limits() || size <= pace_.bytes_in(kAtOnceMs)));
    t->head_whole = false;
    t->head_size = t->answer_size = 0;
    t->error[0] = '\0';
    const bool launched = launch(*t);
    running_.push_back(std::move(t));
    if (!launched) {  // out of memory, in practice; told by the next turn()
      running_.back()->answer.failure_class = "memory";
    }
  }
}

void CurlHttp::finish(Transfer& t, CURLcode code) const {
  long sent = 0;
  curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &t.answer.status);
  curl_easy_getinfo(t.easy, CURLINFO_REQUEST_SIZE, &sent);
  WBSHIM_FAULT(HttpAnswered);
  t.answer.sent_whole = sent > 0 && (t.body_handed_out || t.body().empty() || t.in_one_piece);
  if (code == CURLE_OK && t.head_whole) return;
  if (code == CURLE_OK) code = CURLE_PARTIAL_FILE;  // libcurl takes headers that end anywhere
  t.answer.failure_class = failure_class_of(code, sent > 0);
  t.answer.failure = t.error[0] != '\0' ? t.error.data() : curl_easy_strerror(code);
}

bool CurlHttp::turn() {
  int left = 0;
  go_on();
  curl_multi_perform(multi_, &left);
  std::vector<std::unique_ptr<Transfer>> finished;
  const auto take = [&](const Transfer* which) {
    const auto at = std::find_if(running_.begin(), running_.end(),
                                 [&](const auto& t) { return t.get() == which; });
    if (at == running_.end()) return;
    finished.push_back(std::move(*at));
    *at = std::move(running_.back());
    running_.pop_back();
  };
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* t = nullptr;
    const CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
    finish(*t, code);
    curl_multi_remove_handle(multi_, t->easy);
    take(t);
  }
  for (size_t i = running_.size(); i-- > 0;) {
    if (running_[i]->answer.failure_class != "memory") continue;
    running_[i]->answer.failure = "libcurl could not start the request";
    take(running_[i].get());
  }
  for (auto& t : finished) {
    // Done may start further requests, so the handle is made available first.
    Done done = std::move(t->done);
    HttpAnswer answer = std::move(t->answer);
    t->request = {};
    t->done = nullptr;
    if (t->easy != nullptr) idle_.push_back(std::move(t));
    done(std::move(answer));
  }
  fill();
  return !finished.empty();
}

void CurlHttp::poll(std::vector<Store::Extra>& extras, int timeout_ms) {
  const bool busy = turn();
  std::vector<curl_waitfd> fds;
  fds.reserve(extras.size());
  for (const Store::Extra& extra : extras) {
    short events = 0;
    if ((extra.events & POLLIN) != 0) events |= CURL_WAIT_POLLIN;
    if ((extra.events & POLLPRI) != 0) events |= CURL_WAIT_POLLPRI;
    if ((extra.events & POLLOUT) != 0) events |= CURL_WAIT_POLLOUT;
    fds.push_back({extra.fd, events, 0});
  }
  int wait_ms = busy ? 0 : timeout_ms < 0 ? kForEver_ms : timeout_ms;
  if (held()) wait_ms = std::min(wait_ms, std::max(pace_.wait_ms(), 1));
  curl_multi_poll(multi_, fds.data(), static_cast<unsigned>(fds.size()), wait_ms, nullptr);
  for (size_t i = 0; i < fds.size(); i++) {
    short revents = 0;
    if ((fds[i].revents & CURL_WAIT_POLLIN) != 0) revents |= POLLIN;
    if ((fds[i].revents & CURL_WAIT_POLLPRI) != 0) revents |= POLLPRI;
    if ((fds[i].revents & CURL_WAIT_POLLOUT) != 0) revents |= POLLOUT;
    extras[i].revents = revents;
  }
  turn();
}

}  // namespace

std::string_view HttpAnswer::header(std::string_view name) const {
  for (const auto& [each, value] : headers) {
    if (each == name) return value;
  }
  return {};
}

Result<std::unique_ptr<Http>> make_http(const HttpOptions& options) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = ready == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) return Error{"libcurl cannot be initialised"};
  return std::unique_ptr<Http>(std::make_unique<CurlHttp>(options, multi));
}

}  // namespace wbshim
