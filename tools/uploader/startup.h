// What must be true before the uploader says that it is ready. Each step fails with the one line
// for the user; exit status 2.
#pragma once

#include <memory>
#include <string>

#include "core/store/store.h"
#include "core/util/config.h"
#include "core/util/fd.h"
#include "core/util/result.h"
#include "core/volume/redis.h"
#include "core/volume/tree.h"
#include "core/volume/volume.h"

namespace wbshim {

// One uploader per staging directory: holds the lock as long as the descriptor lives. A killed
// one that still holds it is waited for, up to a second. The error names the other's process id.
Result<Fd> take_lock(const Config& config);

// Identity, delays and name of the volume.
Result<Volume> make_volume(const Config& config);

Result<RedisAddress> redis_address(const Config& config);

// Opens and probes the store, and makes sure of its mark: the prefix belongs to this volume and
// epoch, or to none yet.
Result<std::unique_ptr<Store>> prepare_store(const Config& config, const std::string& epoch);

// Whether the tree is the one that this client looked after before. A generation: records up to it
// may be missing in the tree for another reason than a removal; 0: none. counter: the volume's
// present generation.
Result<uint64_t> tree_floor(const Config& config, const Tree& tree, uint64_t counter);

}  // namespace wbshim
