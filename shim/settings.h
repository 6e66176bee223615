// What the library knows of its configuration: read once from the environment, at load or at the
// first wrapped call before that, and never again (programs clear their environment). Plain
// storage, no allocation, no system call.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/options.h"
#include "core/base/span.h"

namespace wbshim {

struct Settings {
  bool on = false;     // false: every wrapper passes its arguments on
  bool batch = false;  // WBSHIM_META=batch
  int log_level = 1;   // 0 error … 3 debug
  // Texts are kept in the pool (pool.h). prefix: virtual, normalised, no trailing slash. staging:
  // as given until activate() has made it canonical. tree: <staging>/tree.
  const char* prefix = "";
  size_t prefix_size = 0;
  const char* staging = "";
  size_t staging_size = 0;
  const char* tree = "";
  size_t tree_size = 0;
  const char* volume = "";
  const char* log_file = "";   // empty: none
  const char* redis_url = "";  // empty: the private one in the staging directory
  Durability durability = Durability::None;
  uint64_t delay_ms = 600000;
  uint64_t deadline_ms = 3600000;
  uint64_t max_size = 25u << 20;  // 0: no limit

  // Longest staging directory: what is put behind it must fit a path.
  static constexpr size_t kMaxStaging = 900;

  // One thing that load() found wrong.
  struct Complaint {
    Bytes option;           // its name without WBSHIM_
    Bytes value;            // as given; no data: it must not be shown, or is not set
    const char* why = "";   // "expected a duration such as …"
    const char* then = "";  // what comes of it
  };
  struct Complaints {
    static constexpr unsigned kMost = 4;
    Complaint list[kMost];
    unsigned count = 0;
    void add(const Complaint& complaint) {
      if (count < kMost) list[count++] = complaint;
    }
  };
  // Reads `environment`; false when the library must stay inert. Where to log is known in any case.
  bool load(char** environment, Complaints* complaints);
  // The staging directory's name, and what follows from it. False: too long.
  bool place(Bytes where);

 private:
  const char* take(unsigned option, Bytes value);
  bool accept(Bytes name, Bytes value, Complaints* complaints);
  bool apart() const;
};

extern Settings settings;

// The environment as the wrappers see it: libc's, or /proc's before libc has set it.
inline constexpr char kFdsVariable[] =
    "WBSHIM_FDS";  // marker for inherited descriptors, see descriptors.h

}  // namespace wbshim
