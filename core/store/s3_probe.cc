#include "core/store/s3_probe.h"

#include <sys/stat.h>

#include <memory>

#include "core/store/crypto.h"

namespace wbshim {
namespace {

constexpr char kKey[] = ".wbshim-probe";
constexpr char kText[] = "wbshim probe\n";

// False: it has not been answered in time.
bool wait_for(Store& store, const bool& answered, const std::function<uint64_t()>& now_ms,
              uint64_t deadline_ms) {
  std::vector<Store::Extra> none;
  while (!answered) {
    const uint64_t now = now_ms();
    if (now >= deadline_ms) return false;
    store.poll(none, static_cast<int>(deadline_ms - now));
  }
  return true;
}

}  // namespace

Status probe_s3(Store& store, const std::function<uint64_t()>& now_ms, int timeout_ms,
                const S3Messages& messages) {
  struct Answer {
    bool given = false;
    StoreResult result;
  };
  const uint64_t deadline_ms = now_ms() + static_cast<uint64_t>(timeout_ms);
  const auto body = std::make_shared<Body>(Body{kText, sha256_hex(kText)});
  ObjectMeta meta;
  meta.mode = S_IFREG | 0600;
  meta.mtime_ns = static_cast<int64_t>(now_ms()) * 1'000'000;
  unsigned tries = 3;  // with a corrected clock, without a checksum
  for (bool stored = false;;) {
    auto answer = std::make_shared<Answer>();  // outlives us when the time is over
    const Store::Done done = [answer](StoreResult result) {
      answer->given = true;
      answer->result = std::move(result);
    };
    if (stored) {
      store.remove(kKey, now_ms(), done);
    } else {
      store.put(kKey, body, meta, now_ms(), done);
    }
    if (!wait_for(store, answer->given, now_ms, deadline_ms)) {
      return Error{messages.other(std::string(stored ? "DELETE '" : "PUT '") + kKey + "'",
                                  "no answer within " + std::to_string(timeout_ms) +
                                      " ms; is the endpoint right, and the network up?")};
    }
    if (answer->result.mended && --tries > 0) continue;
    if (answer->result.outcome != StoreOutcome::Stored) return Error{answer->result.message};
    if (stored) return Ok{};
    stored = true;
  }
}

}  // namespace wbshim
