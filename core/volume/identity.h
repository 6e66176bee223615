// Who this client is, and which volume it belongs to.
#pragma once

#include <cstdint>
#include <string>

#include "core/util/config.h"
#include "core/util/result.h"
#include "core/volume/redis.h"
#include "core/volume/volume.h"

namespace wbshim {

// 16 random hex digits, from the kernel.
std::string random_id();

// The first 8 hex digits of the kernel's boot_id; "00000000" when it cannot be read.
std::string boot_id();

// The id in <staging>/client; made when absent, by whoever comes first (the library makes it, too).
Result<std::string> client_id(const std::string& staging);

// The volume's meta hash: format and epoch are set when absent, ours are compared with them.
struct Epoch {
  std::string value;
  bool fresh =
      false;  // Redis knew no epoch: what it held of this volume is gone, or nothing was there
  bool changed = false;  // the staging directory remembered another one
};
// The error is the user's line: another format, or another client's volume (private coherence).
// staging: where the epoch is remembered.
Result<Epoch> join_volume(Redis& redis, const Volume& volume, const std::string& staging);

// Takes back what a join made that was the volume's first (Epoch::fresh): the start failed later on.
void leave_volume(Redis& redis, const Volume& volume);

// PING (with the password), maxmemory-policy, and a version that knows what the scripts need. The
// error is the user's line.
Status probe_redis(Redis& redis, const Config& config);
// What a person may do about a Redis that is in that trouble (its own words, or the system's).
std::string redis_advice(const std::string& trouble);

// run_id of the server, empty when it does not say.
std::string redis_run_id(Redis& redis);

// One line of text, written by rename. on_disk: synced before it has its name.
Status write_small_file(const std::string& path, const std::string& text, bool on_disk = false);
// Its first line; empty when there is none.
std::string read_small_file(const std::string& path);

}  // namespace wbshim
