#include "tools/uploader/watch.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/support/fake_clock.h"

using namespace wbshim;

namespace {

struct FakeEvents final : TreeEvents {
  int fd() const override { return descriptor; }
  bool take(std::vector<TreeEvent>& events) override {
    bool some = foreign || !news.empty();
    events.insert(events.end(), news.begin(), news.end());
    news.clear();
    return some;
  }
  bool step(uint64_t, std::vector<TreeEvent>& events) override {
    events.insert(events.end(), found.begin(), found.end());
    found.clear();
    return more;
  }
  void rebuild() override { rebuilds++; }
  bool building() const override { return false; }
  TreeLoss losses() override {
    TreeLoss now = loss;
    loss = {};
    return now;
  }

  int descriptor = 7;
  bool more = false;
  bool foreign = false;  // something comes that is not of the tree
  int rebuilds = 0;
  std::vector<TreeEvent> news, found;
  TreeLoss loss;
};

struct FakeLooker final : Looker {
  bool look(const std::vector<std::string>& paths, Looked& looked) override {
    looks.insert(looks.end(), paths.begin(), paths.end());
    if (there) looked = {open, gone};
    return there;
  }
  void begin_below(const std::string& directory) override {
    below.push_back(directory);
    left = 3;
  }
  bool step_below(Looked&) override {
    if (there) left--;
    return there;
  }
  bool below_done() const override { return left == 0; }
  void want_scan() override { scans++; }

  bool there = true;
  int left = 0;
  int scans = 0;
  std::vector<std::string> looks, below, open, gone;
};

struct Fixture {
  test::FakeClock clock;
  FakeEvents events;
  FakeLooker looker;
  Tally tally;
  Watch watch{clock, events, looker, tally};
  bool redis = true;
  bool patient = false;

  void hear(const std::string& path, bool below = false) { events.news.push_back({path, below}); }
  // As the loop does it: a step whenever there is something to do, and at least each 20 ms.
  void pass(uint64_t ms) {
    for (uint64_t end = clock.now + ms;; clock.now += 20) {
      for (int i = 0; i < 100 && watch.step(20, redis, patient); i++) {
      }
      if (clock.now + 20 > end) break;
    }
  }
  using Paths = std::vector<std::string>;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a path is looked at once, when it has been quiet for a moment") {
  hear("f");
  pass(200);
  hear("f");
  hear("f");
  pass(280);
  CHECK(looker.looks.empty());
  pass(100);
  CHECK(looker.looks == Paths{"f"});
  pass(5000);
  CHECK(looker.looks.size() == 1);
  CHECK(tally.watch_events == 3);
}

TEST_CASE_FIXTURE(Fixture, "without quiet it is looked at a little later all the same") {
  for (int i = 0; i < 20; i++) {
    hear("f");
    pass(100);
  }
  CHECK(looker.looks == Paths{"f"});
}

TEST_CASE_FIXTURE(Fixture, "waiting lines of the journal come first, but not for ever") {
  patient = true;
  hear("f");
  pass(1400);
  CHECK(looker.looks.empty());
  pass(200);
  CHECK(looker.looks == Paths{"f"});
}

TEST_CASE_FIXTURE(Fixture, "what is being written to is looked at again, less and less often") {
  looker.open = {"f"};
  hear("f");
  hear("g");
  pass(400);
  CHECK(looker.looks.size() == 2);
  pass(1100);
  CHECK(looker.looks.size() == 3);
  pass(1100);
  CHECK(looker.looks.size() == 3);
  pass(1000);
  CHECK(looker.looks.size() == 4);
  hear("f");  // its close
  looker.open.clear();
  pass(400);
  CHECK(looker.looks.size() == 5);
  pass(100000);
  CHECK(looker.looks.size() == 5);
}

TEST_CASE_FIXTURE(Fixture, "Redis away: the paths are kept, and looked at when it is back") {
  looker.there = false;
  hear("f");
  hear("d", true);
  pass(1000);
  redis = false;
  looker.looks.clear();
  looker.below.clear();
  looker.there = true;
  pass(10000);
  CHECK(looker.looks.empty());
  CHECK(watch.next_ms(false) == UINT64_MAX);  // nothing to wake up for
  redis = true;
  pass(100);
  std::sort(looker.looks.begin(), looker.looks.end());
  CHECK(looker.looks == Paths{"d", "f"});
  CHECK(looker.below == Paths{"d"});
  CHECK(looker.scans == 0);
}

TEST_CASE_FIXTURE(Fixture, "Redis away for long: what would fill the memory is the scan's") {
  redis = false;
  for (size_t i = 0; i <= PendingPaths::kMost; i++) hear("f" + std::to_string(i));
  pass(100);
  redis = true;
  pass(2000);
  CHECK(looker.looks.empty());
  CHECK(looker.scans == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "a directory that came whole is walked after what is new in it is watched") {
  events.more = true;
  hear("d", true);
  hear("e", true);
  for (int i = 0; i < 50; i++, clock.now += 20) watch.step(20, true, false);
  CHECK(looker.looks.size() == 2);
  CHECK(looker.below.empty());
  events.more = false;
  pass(100);
  std::sort(looker.below.begin(), looker.below.end());
  CHECK(looker.below == Paths{"d", "e"});
  CHECK(looker.below_done());
}

TEST_CASE_FIXTURE(Fixture, "a directory that is gone: what Redis has below it is looked at") {
  looker.gone = {"d"};
  hear("d");
  pass(1000);
  CHECK(looker.looks == Paths{"d"});
  CHECK(looker.below == Paths{"d"});
}

TEST_CASE_FIXTURE(Fixture, "what the source finds in new directories is looked at, too") {
  events.found = {{"d/f", false}, {"d/g", false}};
  pass(400);
  CHECK(looker.looks.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "lost events: the source begins again and the scan is asked for") {
  events.loss.events = true;
  pass(100);
  CHECK(events.rebuilds == 1);
  CHECK(looker.scans == 1);
  CHECK(tally.watch_losses == 1);
}

TEST_CASE_FIXTURE(Fixture, "losses again and again: a scan a minute, none is forgotten") {
  for (int i = 0; i < 10; i++) {
    events.loss.directories = true;
    pass(1000);
  }
  CHECK(looker.scans == 1);
  CHECK(tally.watch_losses == 10);
  pass(60000);
  CHECK(looker.scans == 2);
  pass(200000);
  CHECK(looker.scans == 2);
  CHECK(events.rebuilds == 0);  // a directory that could not be watched is no reason
}

TEST_CASE_FIXTURE(Fixture, "a burst is taken in batches: the descriptor is not polled in between") {
  hear("f");
  watch.step(20, true, false);
  CHECK(watch.wanted_fd() == -1);
  CHECK(watch.next_ms(true) <= clock.now + 20);
  clock.now += 20;
  CHECK(watch.wanted_fd() == 7);
}

TEST_CASE_FIXTURE(Fixture, "no source: nothing is done, nothing is polled") {
  events.descriptor = -1;
  hear("f");
  pass(1000);
  CHECK(looker.looks.empty());
  CHECK(watch.wanted_fd() == -1);
}

TEST_CASE_FIXTURE(Fixture, "what comes of elsewhere is no news, and waited for no faster") {
  events.foreign = true;
  watch.step(20, true, false);
  CHECK(watch.wanted_fd() == -1);
  CHECK(tally.watch_events == 0);
  events.foreign = false;
  clock.now += 20;
  watch.step(20, true, false);
  CHECK(watch.wanted_fd() == 7);
}
