#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>

#include "core/store/crypto.h"
#include "core/store/store.h"
#include "core/util/display.h"
#include "core/volume/identity.h"
#include "tools/ctl/checks.h"
#include "tools/ctl/store_time.h"

namespace wbshim::ctl {
namespace {

constexpr int kBoundMs = 15000;
constexpr int64_t kLateS = 60;      // Date counts whole seconds
constexpr int64_t kRefusedS = 900;  // a request whose signature is older is refused
constexpr mode_t kMode = S_IFREG | 0600;

// One request at a time, waited for.
class Asking {
 public:
  explicit Asking(Store& store) : store_(store) {}

  Store::Done done() {
    answered_ = false;
    return [this](StoreResult result) {
      result_ = std::move(result);
      answered_ = true;
    };
  }

  const StoreResult& wait() {
    const uint64_t end = clock_.now_ms() + kBoundMs;
    std::vector<Store::Extra> extras;
    while (!answered_ && clock_.now_ms() < end) store_.poll(extras, 200);
    if (!answered_) {
      result_ = StoreResult{};
      result_.error_class = "timeout";
      result_.message = "no answer within 15 s";
    }
    return result_;
  }

  uint64_t now() const { return clock_.wall_ms(); }

 private:
  Store& store_;
  SystemClock clock_;
  StoreResult result_;
  bool answered_ = false;
};

Finding trouble(const Config& config, const std::string& what, const StoreResult& result) {
  return {Level::Error, "store",
          config.shown(Option::STORE_URL) + ": " + what + " (" + printable(result.error_class) +
              (result.message.empty() ? "" : ": " + printable(result.message)) + ")",
          "uploads fail until that is mended"};
}

// An object is put, read and deleted.
Finding round_trip(const Config& config, Store& store) {
  Asking asking(store);
  const std::string key = ".wbshim-doctor-" + random_id();
  const auto body = std::make_shared<Body>();
  body->bytes = "shim-ctl doctor\n";
  body->sha256_hex = sha256_hex(body->bytes);
  ObjectMeta meta;
  meta.mode = kMode;
  store.put(key, body, meta, asking.now(), asking.done());
  if (asking.wait().outcome != StoreOutcome::Stored)
    return trouble(config, "an object cannot be written", asking.wait());
  store.get(key, asking.done());
  const StoreResult got = asking.wait();
  store.remove(key, asking.now(), asking.done());
  const StoreResult removed = asking.wait();
  if (got.outcome != StoreOutcome::Stored || got.body != body->bytes)
    return trouble(config, "what was written cannot be read back", got);
  if (removed.outcome != StoreOutcome::Stored)
    return trouble(config, "the object " + key + " cannot be deleted", removed);
  return {Level::Ok, "store",
          config.shown(Option::STORE_URL) + " takes, returns and deletes an object", ""};
}

Finding check(const Config& config) {
  struct stat st {};
  if (config.store_is_default() && stat(config.in_staging("store").c_str(), &st) != 0)
    return {Level::Ok, "store",
            config.shown(Option::STORE_URL) + ", in the staging directory, is made by the start",
            ""};
  StoreOptions options;
  options.url = config.store_url();
  options.addressing = config.s3_addressing();
  options.checksum = config.s3_checksum();
  options.anonymous = config.s3_anonymous();
  options.max_connections = 1;
  auto store = open_store(options);
  if (!store) return {Level::Error, "store", printable(store.message()), ""};
  if (Status probed = store.value()->probe(kBoundMs); !probed)
    return {Level::Error, "store", printable(probed.message()), ""};
  return round_trip(config, *store.value());
}

Finding clock(const Config& config) {
  const int64_t theirs = store_time(config.store_url(), config.s3_addressing());
  if (theirs < 0) return {Level::Warning, "clock", "the store does not tell its time", ""};
  const int64_t off = std::abs(theirs - static_cast<int64_t>(SystemClock().wall_ms() / 1000));
  const Level level = off > kRefusedS ? Level::Error : off > kLateS ? Level::Warning : Level::Ok;
  return {level, "clock", "the store's and this machine's differ by " + std::to_string(off) + " s",
          level == Level::Ok ? ""
                             : "let this machine follow NTP: a store refuses requests that are 15 "
                               "minutes off"};
}

}  // namespace

void check_store(const Config& config, Findings& findings) {
  const auto before = signal(SIGPIPE, SIG_IGN);  // a connection that ends must not end us
  findings.push_back(check(config));
  if (config.store_url().rfind("s3://", 0) == 0) findings.push_back(clock(config));
  (void)signal(SIGPIPE, before);
}

}  // namespace wbshim::ctl
