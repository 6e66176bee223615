// Is anybody still writing to a file?
#pragma once

#include <sys/stat.h>

#include <string>

namespace wbshim {

enum class Writers { None, Some, Unknown };

// Whether a descriptor is open for writing, by its file in /proc/<pid>/fdinfo.
bool open_for_writing(const std::string& fdinfo);

class WriterTest {
 public:
  virtual ~WriterTest() = default;
  // fd: the file, open for reading only; st: what fstat said of it.
  virtual Writers test(int fd, const struct stat& st) = 0;
  // The answer is only likely: the reader also waits for a quiet time and reads twice.
  virtual bool reduced() const = 0;
};

// By a read lease, taken and given back at once: the kernel refuses it while somebody has the file
// open for writing or mapped shared and writable. Another user's file: Unknown.
class LeaseTest final : public WriterTest {
 public:
  Writers test(int fd, const struct stat& st) override;
  bool reduced() const override { return false; }
};

// By a look at the descriptors and mappings of every process that may be looked at. For file
// systems whose leases do not tell (overlayfs). It misses other users' processes, and whoever opens
// the file while we look.
class ProcTest final : public WriterTest {
 public:
  // proc: "/proc", or a tree made like it.
  explicit ProcTest(std::string proc = "/proc") : proc_(std::move(proc)) {}
  Writers test(int fd, const struct stat& st) override;
  bool reduced() const override { return true; }

 private:
  bool descriptor_writes(const std::string& process, const struct stat& st) const;
  bool mapping_writes(const std::string& process, const std::string& path, ino_t inode) const;
  std::string proc_;
};

}  // namespace wbshim
