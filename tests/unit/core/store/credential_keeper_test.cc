#include "core/store/credential_keeper.h"

#include <doctest/doctest.h>

#include <deque>

#include "core/store/refresh_plan.h"
#include "core/util/clock.h"

using namespace wbshim;

namespace {

constexpr uint64_t kMinute_ms = 60'000;
constexpr uint64_t kStart_ms = 1'800'000'000'000;
constexpr uint64_t kPatience_ms = 20'000;

AwsKeys keys(const std::string& id, uint64_t expires_ms) {
  AwsKeys out;
  out.keys = {id, "secret", "token"};
  out.id_from = out.secret_from = "the test";
  out.expires_ms = expires_ms;
  return out;
}

// What the keeper loads, laid out beforehand; a load waits while there is nothing.
struct Source {
  Result<AwsKeys> load(const std::atomic<bool>& stopped) {
    loads++;
    const SystemClock clock;
    for (const uint64_t end = clock.now_ms() + kPatience_ms; clock.now_ms() < end && !stopped;) {
      const std::lock_guard lock(mutex);
      if (answers.empty()) continue;
      Result<AwsKeys> out = std::move(answers.front());
      answers.pop_front();
      return out;
    }
    return Error{"given up"};
  }
  void answer(Result<AwsKeys> next) {
    const std::lock_guard lock(mutex);
    answers.push_back(std::move(next));
  }

  std::atomic<int> loads = 0;
  std::atomic<uint64_t> now_ms = kStart_ms;
  std::mutex mutex;
  std::deque<Result<AwsKeys>> answers;
};

struct Fixture {
  CredentialKeeper keeper(uint64_t expires_ms) {
    return CredentialKeeper(
        keys("old", expires_ms),
        [this](const std::atomic<bool>& stopped) { return source.load(stopped); },
        [this] { return source.now_ms.load(); });
  }
  // Waits for the next news of the keeper, as a request after the other would.
  static std::optional<AwsKeys> news(CredentialKeeper& keeper) {
    const SystemClock clock;
    for (const uint64_t end = clock.now_ms() + kPatience_ms; clock.now_ms() < end;) {
      if (auto found = keeper.fresh()) return found;
    }
    return std::nullopt;
  }
  Source source;
};

}  // namespace

TEST_CASE("refresh plan: from 15 minutes before the end, oftener from 10") {
  const uint64_t end = kStart_ms + 60 * kMinute_ms;
  CHECK(next_refresh_ms(0, 0, false) == 0);
  CHECK(next_refresh_ms(0, kStart_ms, true) == 0);
  CHECK(next_refresh_ms(end, 0, false) == end - 15 * kMinute_ms);
  CHECK(next_refresh_ms(end, kStart_ms, false) == end - 15 * kMinute_ms);
  // It failed: a minute later, ten seconds later when the end is near or past.
  CHECK(next_refresh_ms(end, end - 14 * kMinute_ms, true) == end - 13 * kMinute_ms);
  CHECK(next_refresh_ms(end, end - 9 * kMinute_ms, true) == end - 9 * kMinute_ms + 10'000);
  CHECK(next_refresh_ms(end, end + kMinute_ms, true) == end + kMinute_ms + 10'000);
  // It gave the same keys again.
  CHECK(next_refresh_ms(end, end - 14 * kMinute_ms, false) == end - 13 * kMinute_ms);
  // Keys that live for seconds.
  CHECK(next_refresh_ms(kStart_ms + 8000, kStart_ms, false) == kStart_ms + 2000);
  CHECK(next_refresh_ms(kStart_ms + 100, kStart_ms, true) == kStart_ms + 1000);
  CHECK(next_refresh_ms(5, 0, false) == 0);  // before 1970 and 15 minutes
}

TEST_CASE_FIXTURE(Fixture, "credential keeper: new keys come before the old ones end") {
  const uint64_t end = kStart_ms + 60 * kMinute_ms;
  CredentialKeeper kept = keeper(end);
  source.answer(keys("new", end + 60 * kMinute_ms));
  source.now_ms = end - 15 * kMinute_ms - 1;
  CHECK_FALSE(kept.fresh().has_value());
  CHECK(source.loads == 0);
  source.now_ms = end - 15 * kMinute_ms;
  const auto found = news(kept);
  REQUIRE(found.has_value());
  CHECK(found->keys.id == "new");
  CHECK(source.loads == 1);
  CHECK_FALSE(kept.fresh().has_value());  // once
}

TEST_CASE_FIXTURE(Fixture, "credential keeper: old keys stay, and say that renewing failed") {
  const uint64_t end = kStart_ms + 12 * kMinute_ms;
  CredentialKeeper kept = keeper(end);
  source.answer(Error{"nobody answers"});
  source.now_ms = kStart_ms + kMinute_ms;
  auto found = news(kept);
  REQUIRE(found.has_value());
  CHECK(found->keys.id == "old");
  CHECK(found->id_from == "the test; renewing them failed: nobody answers");
  CHECK(source.loads == 1);
  source.answer(keys("new", 0));
  source.now_ms = kStart_ms + 2 * kMinute_ms;
  found = news(kept);
  REQUIRE(found.has_value());
  CHECK(found->keys.id == "new");
  CHECK(found->id_from == "the test");
}

TEST_CASE_FIXTURE(Fixture,
                  "credential keeper: refused keys are renewed at once, whatever their end") {
  for (const uint64_t end : {uint64_t{0}, kStart_ms + 60 * kMinute_ms}) {
    CredentialKeeper kept = keeper(end);
    source.answer(keys("new", end));
    CHECK_FALSE(kept.fresh().has_value());
    kept.refused();
    const auto found = news(kept);
    REQUIRE(found.has_value());
    CHECK(found->keys.id == "new");
  }
}

TEST_CASE_FIXTURE(Fixture, "credential keeper: one that hangs holds up nobody, not even the end") {
  const SystemClock clock;
  const uint64_t start = clock.now_ms();
  {
    CredentialKeeper kept = keeper(kStart_ms + 60 * kMinute_ms);
    kept.refused();
    while (source.loads == 0) CHECK(clock.now_ms() - start < kPatience_ms);
    for (int i = 0; i < 1000; i++) CHECK_FALSE(kept.fresh().has_value());
  }
  CHECK(clock.now_ms() - start < kPatience_ms / 2);
}
