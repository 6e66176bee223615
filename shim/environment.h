// What a program started from here must find in its environment, whatever the caller put there: the
// preload line and the WBSHIM_ settings (programs and `env -i` clear them), the marker of inherited
// descriptors, library paths the loader can follow.
#pragma once

#include "shim/program.h"

namespace wbshim::environment {

// At load, before anything else: the loader's lists (LD_LIBRARY_PATH, LD_PRELOAD, LD_AUDIT) read as the
// program's own again, where they were translated for its loader.
void show(char** environment);

// At load: copies LD_PRELOAD and every WBSHIM_ setting out of the environment, which programs may
// overwrite later.
void capture(char** environment);

// How the program starts: in place of this process, or as its child, with or without posix_spawn's
// file actions.
inline constexpr const void* kExec = nullptr;
inline constexpr char kNoActionsMark = 0;
inline constexpr const void* kNoActions = &kNoActionsMark;

// An environment for one exec. Lives on the caller's frame, with pages of its own when something
// has to be added; never allocates from the heap, so it serves in vfork children and signal
// handlers.
class Prepared {
 public:
  // envp: what the program passed (null: empty). how: kExec, kNoActions, or the file actions.
  Prepared(char* const* envp, const program::Traits& traits, const void* how);
  ~Prepared();
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  char* const* get() const { return out_; }

 private:
  static const char* preload_line(const char* preload, bool foreign, Text* to);
  void build(char* const* envp, size_t count, Bytes marker, const program::Traits& traits);

  char* const* out_;
  void* pages_ = nullptr;
  size_t size_ = 0;
};

}  // namespace wbshim::environment
