// The uploader's parts over a real Redis, a real tree and a store in memory.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/fake_store.h"
#include "tests/integration/volume_fixture.h"
#include "tests/unit/support/settle.h"
#include "tools/uploader/deletes.h"
#include "tools/uploader/replay.h"
#include "tools/uploader/scan.h"
#include "tools/uploader/settling.h"
#include "tools/uploader/store_probe.h"
#include "tools/uploader/uploads.h"

namespace wbshim::test {

inline Config load_config(const Scratch& scratch) {
  ConfigSources sources;
  sources.home = scratch.path();
  sources.environment = {"WBSHIM_STAGING_DIR=" + scratch.path(), "WBSHIM_PREFIX=/wb",
                         "HOME=" + scratch.path()};
  auto config = Config::load(sources);
  INFO((config ? "" : config.message()));
  REQUIRE(config);
  return config.value();
}

inline Tree open_tree(const Scratch& scratch) {
  for (const char* part : {"tree", "journal", "run"})
    REQUIRE(mkdir(scratch.at(part).c_str(), 0700) == 0);
  return std::move(Tree::open(scratch.path(), "/wb").value());
}

struct PartsFixture : VolumeFixture {
  Scratch staging;
  Config config = load_config(staging);
  Tree tree = open_tree(staging);
  SharedPage* page = map_shared_page(staging.path().c_str());
  Publisher publisher{redis, volume, tree, page};
  FakeStore store;
  LeaseTest writers;
  Random random = [] { return 0.0; };
  StoreHealth health{clock, random};
  DeadLetters dead{redis, volume, clock};
  Tally tally;
  Quarantine quarantine{staging.path(), clock.wall_ms()};
  Context context{config, clock,     random, volume,  StagingMode{}, tree, page,  redis,
                  queue,  publisher, store,  writers, health,        dead, tally, quarantine};
  Scan scan{context};
  Replay replay{context, scan};
  Uploads uploads{context};
  Deletes deletes{context, uploads};
  Settling settling{context};
  StoreProbe store_probe{context};
  std::vector<UploadEvent> events;

  PartsFixture() {
    volume.delay_ms = 0;
    health.on_back = [this](bool blocked) { uploads.store_is_back(blocked); };
    uploads.on_event = [this](const UploadEvent& event) { events.push_back(event); };
  }

  // One round of the loop, without its pauses.
  void step(size_t room = 4) {
    uploads.kick();
    deletes.kick();
    uploads.step(room - std::min(room, deletes.in_flight()));
    deletes.step(room - std::min(room, uploads.in_flight()));
    settling.step();
    store_probe.step();
    std::vector<Store::Extra> none;
    store.poll(none, 0);
  }
  // Rounds until `done`. The bound is far beyond the pauses of the parts (settling looks every 5 s).
  template <typename Done>
  bool work(Done done, size_t room = 4) {
    for (uint64_t end = clock.now_ms() + 60000; !done() && clock.now_ms() < end; usleep(1000))
      step(room);
    return done();
  }
  bool drained() {
    return queue.size(List::Due) == 0 && queue.size(List::Del) == 0 &&
           uploads.in_flight() + deletes.in_flight() == 0;
  }
  bool drain() {
    return work([this] { return drained(); });
  }

  void file(const std::string& path, const std::string& text) {
    wait_until_settled(staging.write("tree/" + path, text));
  }
  void notice(const std::string& path, bool removed = false, uint64_t base = 0) {
    Notice notice;
    notice.path = path;
    notice.acted = true;
    notice.removed = removed;
    notice.base = base;
    REQUIRE(publisher.publish({notice}));
  }
  size_t count(UploadEvent::Kind kind) const {
    return static_cast<size_t>(std::count_if(
        events.begin(), events.end(), [kind](const UploadEvent& e) { return e.kind == kind; }));
  }
  // Settled long after: the pause is taken out of the list.
  void hasten_settling() {
    auto entries = queue.first(List::Settle, 100);
    std::vector<std::string> keys;
    for (const QueueEntry& entry : *entries) keys.push_back(entry.member);
    queue.postpone(List::Settle, keys, 0);
  }
};

}  // namespace wbshim::test
