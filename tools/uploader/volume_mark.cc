#include "tools/uploader/volume_mark.h"

#include <optional>

#include "core/base/fault.h"
#include "core/base/keys.h"
#include "core/store/crypto.h"
#include "core/util/clock.h"
#include "core/util/display.h"
#include "core/util/json.h"
#include "tools/uploader/context.h"

namespace wbshim {
namespace {

// Lets the store work until there is an answer.
StoreResult wait_for(Store& store, std::optional<StoreResult>& answer, int timeout_ms) {
  SystemClock clock;
  uint64_t until = clock.now_ms() + static_cast<uint64_t>(timeout_ms);
  std::vector<Store::Extra> none;
  while (!answer && clock.now_ms() < until) store.poll(none, 100);
  if (answer) return *answer;
  StoreResult late;
  late.message = "the store did not answer in time";
  return late;
}

}  // namespace

std::string foreign_mark(const std::string& text, const std::string& volume,
                         const std::string& epoch) {
  std::optional<Json> mark = Json::parse(text);
  if (!mark || !mark->is_object())
    return "its mark '" + std::string(kVolumeMark) + "' cannot be read";
  if (mark->text_of("volume") != volume)
    return "it belongs to volume '" + printable(mark->text_of("volume")) + "'";
  if (mark->text_of("epoch") != epoch) {
    return "it belongs to another volume of the name '" + printable(volume) + "' (epoch " +
           printable(mark->text_of("epoch")) + ", here " + epoch + ")";
  }
  return {};
}

Status claim_store_prefix(Store& store, const Config& config, const std::string& epoch,
                          int timeout_ms) {
  // Answers come while poll() runs, at the latest when the store is closed: what they are written
  // into must live as long.
  auto answer = std::make_shared<std::optional<StoreResult>>();
  auto take = [answer](StoreResult result) { *answer = std::move(result); };
  store.get(kVolumeMark, take);
  StoreResult found = wait_for(store, *answer, timeout_ms);
  if (found.mended) {
    answer->reset();
    store.get(kVolumeMark, take);
    found = wait_for(store, *answer, timeout_ms);
  }
  if (found.outcome == StoreOutcome::Stored) {
    std::string foreign = foreign_mark(found.body, config.volume(), epoch);
    if (foreign.empty()) return Ok{};
    return Error{config.complaint(Option::STORE_URL,
                                  foreign + "; choose another prefix, or delete its object '" +
                                      kVolumeMark + "' if you know that it is this volume's")};
  }
  if (found.outcome == StoreOutcome::Absent) {
    WBSHIM_FAULT(MarkMissing);
    Json mark = Json::object();
    mark.set("volume", config.volume()).set("epoch", epoch).set("format", keys::kFormat);
    auto body = std::make_shared<Body>();
    body->bytes = mark.dump() + "\n";
    body->sha256_hex = sha256_hex(body->bytes);
    ObjectMeta meta;
    meta.mode = 0100644;
    uint64_t now = SystemClock().wall_ms();
    meta.mtime_ns = static_cast<int64_t>(now) * 1000000;
    answer->reset();
    store.put(kVolumeMark, body, meta, now, take);
    found = wait_for(store, *answer, timeout_ms);
    if (found.outcome == StoreOutcome::Stored) return Ok{};
  }
  return Error{config.complaint(Option::STORE_URL,
                                "cannot mark it as this volume's: " + printable(found.message))};
}

}  // namespace wbshim
