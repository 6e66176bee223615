// What the parts of the daemon share. All members outlive the parts; everything runs on one thread.
#pragma once

#include "core/base/shared_page.h"
#include "core/store/store.h"
#include "core/util/clock.h"
#include "core/util/config.h"
#include "core/volume/publish.h"
#include "core/volume/queue.h"
#include "core/volume/redis.h"
#include "core/volume/tree.h"
#include "core/volume/volume.h"
#include "tools/uploader/dead_letters.h"
#include "tools/uploader/quarantine.h"
#include "tools/uploader/retry.h"
#include "tools/uploader/selftest.h"
#include "tools/uploader/store_health.h"
#include "tools/uploader/tally.h"
#include "tools/uploader/writers.h"

namespace wbshim {

struct Context {
  const Config& config;
  const Clock& clock;
  const Random random;
  const Volume& volume;
  StagingMode mode;
  Tree& tree;
  SharedPage* page;  // may be null
  Redis& redis;
  Queue& queue;
  Publisher& publisher;
  Store& store;
  WriterTest& writers;
  StoreHealth& health;
  DeadLetters& dead;
  Tally& tally;
  Quarantine& quarantine;
  std::string metrics_off = {};  // why there are none over HTTP, though they were wanted
};

// The volume's mark in the store; no file of this name is ever uploaded.
inline constexpr char kVolumeMark[] = ".wbshim-volume";

}  // namespace wbshim
