#include "tools/ctl/store_reader.h"

#include <algorithm>

namespace wbshim::ctl {
namespace {

constexpr unsigned kTries = 5;
constexpr uint64_t kFirstPauseMs = 100;
constexpr int kTurnMs = 50;
constexpr size_t kHeadsAtOnce =
    500;  // waiting in the store; it sends as many as it has connections

bool worth_another_try(StoreOutcome outcome, unsigned tries) {
  return outcome == StoreOutcome::TryLater && tries < kTries;
}

// The store can hold nothing under such a name.
bool no_key(const StoreResult& result) {
  return result.outcome == StoreOutcome::Refused &&
         (result.error_class == "KeyTooLong" || result.error_class == "InvalidKey");
}

}  // namespace

void StoreReader::turn(int timeout_ms) {
  std::vector<Store::Extra> none;
  store_.poll(none, timeout_ms);
  const uint64_t now = clock_.now_ms();
  for (const auto& [directory, ahead] : ahead_) {
    if (ahead->again_at_ms == 0 || now < ahead->again_at_ms) continue;
    ahead->again_at_ms = 0;
    fetch(directory, ahead);
  }
}

void StoreReader::want(const std::string& directory) {
  auto [found, fresh] = ahead_.emplace(directory, nullptr);
  if (!fresh) return;
  found->second = std::make_shared<Ahead>();
  fetch(directory, found->second);
}

void StoreReader::fetch(const std::string& directory, const std::shared_ptr<Ahead>& ahead) {
  store_.list(directory, ahead->page, [this, directory, ahead](Listing listing) {
    take(directory, ahead, std::move(listing));
  });
}

void StoreReader::take(const std::string& directory, const std::shared_ptr<Ahead>& ahead,
                       Listing listing) {
  if (listing.outcome != StoreOutcome::Stored) {
    ahead->tries++;
    ahead->failed = !worth_another_try(listing.outcome, ahead->tries);
    if (ahead->failed) trouble_ = listing.message;
    ahead->again_at_ms =
        ahead->failed ? 0 : clock_.now_ms() + (kFirstPauseMs << std::min(ahead->tries, 6u));
    return;
  }
  ahead->tries = 0;
  Directory& found = ahead->found;
  std::move(listing.objects.begin(), listing.objects.end(), std::back_inserter(found.objects));
  std::move(listing.directories.begin(), listing.directories.end(),
            std::back_inserter(found.directories));
  ahead->done = listing.next.empty();
  ahead->page = std::move(listing.next);
  if (!ahead->done) fetch(directory, ahead);
}

bool StoreReader::list(const std::string& directory, Directory* out) {
  want(directory);
  const std::shared_ptr<Ahead> ahead = ahead_[directory];
  while (!ahead->done && !ahead->failed) turn(kTurnMs);
  ahead_.erase(directory);
  *out = std::move(ahead->found);
  return ahead->done;
}

bool StoreReader::head(const std::vector<std::string>& keys, std::vector<StoreResult>* out) {
  out->assign(keys.size(), {});
  std::vector<size_t> open(keys.size());
  for (size_t i = 0; i < keys.size(); i++) open[i] = i;
  for (unsigned tries = 1; !open.empty(); tries++) {
    for (size_t begin = 0; begin < open.size(); begin += kHeadsAtOnce) {
      size_t waiting = std::min(kHeadsAtOnce, open.size() - begin);
      const size_t end = begin + waiting;
      for (size_t i = begin; i < end; i++) {
        const size_t at = open[i];
        store_.head(keys[at], [out, at, &waiting](StoreResult result) {
          (*out)[at] = std::move(result);
          waiting--;
        });
      }
      while (waiting > 0) turn(kTurnMs);
    }
    std::vector<size_t> again;
    for (const size_t at : open) {
      const StoreOutcome outcome = (*out)[at].outcome;
      if (outcome == StoreOutcome::Stored || outcome == StoreOutcome::Absent) continue;
      if (no_key((*out)[at])) {
        (*out)[at].outcome = StoreOutcome::Absent;
        continue;
      }
      if (!worth_another_try(outcome, tries)) {
        trouble_ = (*out)[at].message;
        return false;
      }
      again.push_back(at);
    }
    open = std::move(again);
    const uint64_t until = open.empty() ? 0 : clock_.now_ms() + (kFirstPauseMs << tries);
    while (clock_.now_ms() < until) turn(kTurnMs);
  }
  return true;
}

bool StoreReader::get(const std::string& key, StoreResult* out) {
  for (unsigned tries = 1;; tries++) {
    bool answered = false;
    store_.get(key, [out, &answered](StoreResult result) {
      *out = std::move(result);
      answered = true;
    });
    while (!answered) turn(kTurnMs);
    if (out->outcome == StoreOutcome::Stored || out->outcome == StoreOutcome::Absent) return true;
    trouble_ = out->message;
    if (!worth_another_try(out->outcome, tries)) return false;
    const uint64_t until = clock_.now_ms() + (kFirstPauseMs << tries);
    while (clock_.now_ms() < until) turn(kTurnMs);
  }
}

}  // namespace wbshim::ctl
