#include "tools/uploader/startup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

#include "core/base/layout.h"
#include "core/util/bytes.h"
#include "core/util/display.h"
#include "core/util/log.h"
#include "core/volume/identity.h"
#include "tools/uploader/tree_id.h"
#include "tools/uploader/volume_mark.h"

namespace wbshim {
namespace {

constexpr int kStoreProbeMs = 15000;
constexpr int kDyingTries = 100;  // a second in all
constexpr long kDyingPauseNs = 10000000;

// It is no more, or it has been killed and its descriptors are about to be closed.
bool dying(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  if (!status) return true;
  constexpr unsigned long long kKill = 1ULL << (SIGKILL - 1);
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("State:", 0) == 0 && line.find_first_of("ZX") != std::string::npos) return true;
    if (line.rfind("SigPnd:", 0) == 0 || line.rfind("ShdPnd:", 0) == 0) {
      if (strtoull(line.c_str() + 7, nullptr, 16) & kKill) return true;
    }
  }
  return false;
}

// A store begins its lines with its URL, but does not know where that came from.
std::string store_complaint(const Config& config, const std::string& line) {
  const std::string head = config.shown(Option::STORE_URL) + ": ";
  const bool named = line.compare(0, head.size(), head) == 0;
  return config.complaint(Option::STORE_URL, named ? line.substr(head.size()) : line);
}

}  // namespace

Result<Fd> take_lock(const Config& config) {
  std::string path = config.in_staging(layout::kLock);
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return Error{"cannot open the lock '" + printable(path) + "': " + strerror(errno)};
  int locked = flock(fd.get(), LOCK_EX | LOCK_NB);
  for (int i = 0; i < kDyingTries && locked != 0 && errno == EWOULDBLOCK; i++) {
    std::string holder = read_small_file(path);
    if (!holder.empty() && !dying(holder)) {
      locked = flock(fd.get(), LOCK_EX | LOCK_NB);
      break;
    }
    timespec pause = {0, kDyingPauseNs};
    nanosleep(&pause, nullptr);
    locked = flock(fd.get(), LOCK_EX | LOCK_NB);
  }
  if (locked != 0) {
    if (errno != EWOULDBLOCK)
      return Error{"cannot lock '" + printable(path) + "': " + strerror(errno)};
    std::string pid = read_small_file(path);
    return Error{
        config.complaint(Option::STAGING_DIR, "an uploader already runs for it (process " +
                                                  (pid.empty() ? "unknown" : printable(pid)) +
                                                  "); stop that one first, with `shim-ctl stop`")};
  }
  std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return Error{"cannot write '" + printable(path) + "': " + strerror(errno)};
  }
  return Result<Fd>(std::move(fd));
}

Result<Volume> make_volume(const Config& config) {
  Result<std::string> client = client_id(config.staging());
  if (!client) return client.error();
  Volume volume;
  volume.name = config.volume();
  volume.client = client.value();
  volume.instance = random_id();
  volume.boot = boot_id();
  volume.delay_ms = config.upload_delay_ms();
  volume.deadline_ms = config.upload_deadline_ms();
  return volume;
}

Result<RedisAddress> redis_address(const Config& config) {
  RedisAddress address;
  const char* trouble = address.parse(bytes(config.redis_url()));
  if (trouble) return Error{config.complaint(Option::REDIS_URL, trouble)};
  return address;
}

Result<std::unique_ptr<Store>> prepare_store(const Config& config, const std::string& epoch) {
  StoreOptions options;
  options.url = config.store_url();
  options.addressing = config.s3_addressing();
  options.checksum = config.s3_checksum();
  options.anonymous = config.s3_anonymous();
  options.max_connections = config.max_uploads();
  Result<std::unique_ptr<Store>> store = open_store(options);
  if (!store) return store;
  Status probed = store.value()->probe(kStoreProbeMs);
  if (!probed) return Error{store_complaint(config, probed.message())};
  Status marked = claim_store_prefix(*store.value(), config, epoch, kStoreProbeMs);
  if (!marked) return marked.error();
  return store;
}

Result<uint64_t> tree_floor(const Config& config, const Tree& tree, uint64_t counter) {
  std::string path = config.in_staging(layout::kTreeId);
  std::string now = tree_identity(tree);
  TreeNote note = parse_tree_note(read_small_file(path));
  if (!note.identity.empty() && note.identity != now) {
    log_warn(
        "the staging tree is not the one that was here before: what misses in it counts as lost, "
        "not as deleted");
    note.floor = counter;
  }
  Status written = write_small_file(path, now + " " + std::to_string(note.floor));
  if (!written) return written.error();
  return note.floor;
}

}  // namespace wbshim
