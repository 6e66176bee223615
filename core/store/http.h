// HTTP requests, many at once, on one thread, over connections that are kept. The only place that
// knows libcurl. A request is sent as it is told: nothing is signed, redirected or retried here
// (but libcurl itself repeats a request on a new connection when an old one turns out to be dead).
//
// The process must ignore SIGPIPE.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/store/store.h"
#include "core/util/result.h"

namespace wbshim {

struct HttpRequest {
  std::string method;                                        // PUT, POST, GET, HEAD, DELETE
  std::string url;                                           // sent untouched: dot segments stay
  std::vector<std::pair<std::string, std::string>> headers;  // Host among them
  std::shared_ptr<const std::string> body;                   // PUT, POST; kept until done
};

struct HttpAnswer {
  // Lower-case name; empty when there is no such header.
  std::string_view header(std::string_view name) const;

  long status = 0;            // 0: there was no answer
  std::string failure_class;  // empty: a whole answer. "connect": nothing was sent. "tls": neither.
                              // "timeout", "broken": somewhere on the way
  std::string failure;        // what happened, in libcurl's words
  bool sent_whole = false;    // the request went out to its last byte, so it may take effect
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;  // of an answer other than 2xx at most kMaxErrorBody bytes
};

inline constexpr size_t kMaxErrorBody = size_t{64} * 1024;

class Http {
 public:
  using Done = std::function<void(HttpAnswer)>;
  virtual ~Http() = default;

  // Returns at once; done runs inside a later poll(). Beyond max_connections requests wait in
  // order.
  virtual void start(HttpRequest request, Done done) = 0;
  virtual size_t in_flight() const = 0;
  virtual void poll(std::vector<Store::Extra>& extras, int timeout_ms) = 0;  // as Store::poll
};

struct HttpOptions {
  unsigned max_connections = 20;
  long connect_timeout_ms = 3000;  // name look-up, TCP and TLS together
  long stall_timeout_s = 30;       // without a byte in either direction
  std::string ca_file;             // empty: the system's
  bool ignore_proxy = false;       // else http_proxy, https_proxy and no_proxy count
  // Of all that is sent, headers included; 0: no limit. Bodies wait for it, other requests pass.
  uint64_t bytes_per_second = 0;
};

Result<std::unique_ptr<Http>> make_http(const HttpOptions& options);

}  // namespace wbshim
