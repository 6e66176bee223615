#include "tools/uploader/store_probe.h"

#include <sys/stat.h>

#include <memory>

#include "core/store/crypto.h"

namespace wbshim {
namespace {

constexpr char kKey[] = ".wbshim-probe";
constexpr char kText[] = "wbshim probe\n";

}  // namespace

void StoreProbe::step() {
  if (asked_ || !context_.health.wants_probe() || context_.health.paused()) return;
  asked_ = true;
  auto body = std::make_shared<Body>();
  body->bytes = kText;
  body->sha256_hex = sha256_hex(kText);
  ObjectMeta meta;
  meta.mode = S_IFREG | 0600;
  meta.mtime_ns = static_cast<int64_t>(context_.clock.wall_ms()) * 1000000;
  context_.store.put(kKey, body, meta, context_.queue.now_ms(), [this](const StoreResult& result) {
    asked_ = false;
    context_.health.probed(result);
    // Whether it goes is of no interest.
    if (result.outcome == StoreOutcome::Stored)
      context_.store.remove(kKey, context_.queue.now_ms(), [](const StoreResult&) {});
  });
}

}  // namespace wbshim
