// What a repair may change in Redis (core/scripts/mend.lua): each change is made only if the record
// still is the one that was looked at, and nobody sends its key.
#pragma once

#include <cstdint>
#include <string>

#include "core/volume/redis.h"
#include "core/volume/volume.h"

namespace wbshim {

// A record's boot when it was made from its object: such a file was never in the tree, so that its
// absence there says nothing.
inline constexpr char kRestoredBoot[] = "restored";

struct Mend {
  // Words and meaning: mend.lua.
  enum class Act { Stored, Again, Queue, Lost, Restore, Delete, Forget };
  Act act = Act::Stored;
  std::string path;
  char type = 'f';          // of the object's key, and of a restored record
  uint64_t generation = 0;  // of the record looked at; 0: there was none
  std::string etag;         // in the store; empty: there is no object. Forget: the record's text
  uint64_t object_generation = 0;  // 0: not known
  uint64_t size = 0;               // the rest for Restore
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_ns = 0;
  std::string target;
};

enum class Mended { Away, Changed, Done };

Mended mend(Redis& redis, const Volume& volume, const Mend& change);

}  // namespace wbshim
