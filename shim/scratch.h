// Room for one path on small stacks: 320 bytes inline, anything longer in pages of its own. No
// malloc: wrappers run in signal handlers, in vfork children and on 8 KiB stacks.
#pragma once

#include <sys/mman.h>

#include "core/base/sys.h"
#include "core/base/text.h"

namespace wbshim {

class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (big_) sys::munmap(big_, kBig);
  }

  // Room for at least n bytes (at most kBig), contents lost. Null when there is no memory.
  char* reserve(size_t n) {
    if (n <= sizeof inline_) return room_ = sizeof inline_, big_ ? big_ : inline_;
    if (n > kBig) return nullptr;
    if (!big_)
      big_ = static_cast<char*>(
          sys::mmap(kBig, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
    room_ = kBig;
    return big_;
  }
  size_t room() const { return big_ ? kBig : room_; }
  // What has been written there, up to its NUL.
  Bytes text() const { return Bytes(big_ ? big_ : inline_); }

  static constexpr size_t kInline = 320;
  static constexpr size_t kBig =
      16384;  // PATH_MAX four times: both sides of a join and what is put before them

 private:
  char inline_[kInline];
  char* big_ = nullptr;
  size_t room_ = 0;
};

}  // namespace wbshim
