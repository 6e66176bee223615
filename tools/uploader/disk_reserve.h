// The staging disk: how much is free, and the reserve that is kept on it (core/base/reserve.h).
#pragma once

#include <cstdint>
#include <string>

namespace wbshim {

struct DiskRoom {
  bool known = false;
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // for us, the reserve not included
  uint64_t total_inodes = 0;
  uint64_t free_inodes = 0;
  bool in_memory = false;
  uint64_t device = 0;
};

DiskRoom look_at_disk(const std::string& path);

class DiskReserve {
 public:
  explicit DiskReserve(std::string staging) : staging_(std::move(staging)) {}

  // Looks what is held: others may have given it up.
  void look();
  uint64_t bytes() const { return bytes_; }
  uint64_t inodes() const { return inodes_; }
  // Takes what is missing where three times its size is free.
  void take(const DiskRoom& room);
  // True: something was given up.
  bool give_up();

 private:
  bool take_bytes(uint64_t size);
  std::string staging_;
  uint64_t bytes_ = 0;
  uint64_t inodes_ = 0;
};

}  // namespace wbshim
