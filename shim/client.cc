#include "shim/client.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/base/fault.h"
#include "core/base/layout.h"
#include "core/base/sys.h"
#include "core/base/text.h"
#include "shim/next.h"

namespace wbshim::client {
namespace {

enum State : int { kUntried, kActive, kUnusable };
constinit std::atomic<int> state = kUntried;
constinit std::atomic<SharedPage*> shared = nullptr;
constinit std::atomic<int> owner_pid = 0;
bool copies_known = false;  // false: a kernel before 4.14
constinit std::atomic<int> high = -1;
// Not 0, but in a copy that fork or clone made: the kernel empties this page there. It lies somewhere
// in room for two: were it aligned, all of the library's variables would be, and begin a page later.
constexpr size_t kPage = 4096;
constinit char copy_mark_room[2 * kPage] = {};

char* copy_mark_page() {
  return copy_mark_room + (-reinterpret_cast<uintptr_t>(copy_mark_room) & (kPage - 1));
}
std::atomic_ref<int> copy_mark() {
  return std::atomic_ref<int>(*reinterpret_cast<int*>(copy_mark_page()));
}
alignas(64) constinit SharedPage stand_in = {};
char journal_name[960];
char client_id[20];
char boot_id[12];

// What is wrong with the staging directory; null: it is ours, and nobody else can put anything
// there.
const char* not_ours(int fd) {
  struct stat st {};
  if (sys::fstat(fd, &st) != 0) return "cannot look at the staging directory (WBSHIM_STAGING_DIR)";
  unsigned uid = static_cast<unsigned>(sys::call(SYS_geteuid));
  if (st.st_uid != uid && uid != 0)
    return "the staging directory belongs to another user; set WBSHIM_STAGING_DIR to one of your "
           "own";
  if (st.st_mode & 022) return "other users may write into the staging directory: chmod 700";
  return nullptr;
}

// mkdir -p, the last one mode 0700.
bool make_directories(char* path) {
  for (char* p = path + 1;; p++) {
    if (*p != '/' && *p != '\0') continue;
    char kept = *p;
    *p = '\0';
    int result = sys::mkdirat(AT_FDCWD, path, kept ? 0755 : 0700);
    *p = kept;
    if (result < 0 && result != -EEXIST && kept == '\0') return false;
    if (kept == '\0') return true;
  }
}

bool read_small_file(int dir, const char* name, char* to, size_t n) {
  int fd = sys::openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  long got = sys::read(fd, to, n);
  sys::close(fd);
  return got == static_cast<long>(n);
}

// The client's random id, made by whoever comes first: written beside, then linked into place.
bool load_id(int dir) {
  for (int attempt = 0; attempt < 3; attempt++) {
    if (read_small_file(dir, layout::kClientId, client_id, 16)) return true;
    uint64_t random = 0;
    if (sys::call(SYS_getrandom, sys::arg(&random), sizeof random, 0) != sizeof random)
      return false;
    char text[24], beside[40];
    Text id(text), name(beside);
    id.hex(random, 16);
    name.add(layout::kClientId).add('.').hex(random, 16);
    int fd = sys::openat(dir, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    // On disk before it has its name, once in a staging directory's life: records outlive a power
    // loss, and must find their owner.
    bool whole = sys::write(fd, text, 16) == 16 && sys::call(SYS_fsync, fd) == 0;
    WBSHIM_FAULT(ClientIdWritten);
    if (whole) sys::call(SYS_linkat, dir, sys::arg(beside), dir, sys::arg(layout::kClientId), 0);
    sys::call(SYS_unlinkat, dir, sys::arg(beside), 0);
    if (whole) sys::call(SYS_syncfs, fd);
    sys::close(fd);
  }
  return false;
}

// Opens the staging directory, making it when it is absent. -1: cannot be used.
int open_staging() {
  int dir = sys::openat(AT_FDCWD, settings.staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir == -ENOENT) {
    char path[Settings::kMaxStaging + 1];
    Text text(path);
    text.add(Bytes(settings.staging));
    if (!make_directories(path)) {
      log(0, "cannot make the staging directory; set WBSHIM_STAGING_DIR to one that can be made",
          settings.staging);
      return -1;
    }
    dir = sys::openat(AT_FDCWD, settings.staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
  }
  if (dir < 0) {
    log(0, "cannot open the staging directory; set WBSHIM_STAGING_DIR to one of your own",
        settings.staging);
    return -1;
  }
  if (const char* wrong = not_ours(dir)) {
    log(0, wrong, settings.staging);
    sys::close(dir);
    return -1;
  }
  return dir;
}

// The staging directory's canonical name: the kernel's own name of the open descriptor.
bool make_canonical(int dir) {
  char link[40], name[Settings::kMaxStaging + 1];
  Text text(link);
  text.add("/proc/self/fd/").number(dir);
  long n = sys::readlink(link, name, sizeof name - 1);
  if (n <= 0) return true;  // no /proc: what we were given must do
  Bytes found(name, static_cast<size_t>(n));
  return found == Bytes(settings.staging) || settings.place(found);
}

bool prepare(int dir) {
  if (!make_canonical(dir)) return false;
  int made = sys::mkdirat(dir, layout::kTree, 0755);
  if (made < 0 && made != -EEXIST) {
    log(0,
        "cannot write into the staging directory; set WBSHIM_STAGING_DIR to one on a disk that can "
        "be written",
        settings.staging);
    return false;
  }
  if (made == 0) {
    // A umask must not make the root of the tree less than a usual directory.
    sys::call(SYS_fchmodat, dir, sys::arg(layout::kTree), 0755);
  }
  WBSHIM_FAULT(ClientTreeMade);
  sys::mkdirat(dir, layout::kJournalDir, 0700);
  sys::mkdirat(dir, layout::kRunDir, 0700);
  Text text(journal_name);
  text.add(settings.staging).add('/').add(layout::kJournal);
  shared.store(map_shared_page(settings.staging), std::memory_order_release);
  load_id(dir);
  page().add(Counter::Processes);
  return true;
}

}  // namespace

bool active() {
  return state.load(std::memory_order_acquire) == kActive;
}

bool activate() {
  int now = state.load(std::memory_order_acquire);
  if (now != kUntried) return now == kActive;
  int saved = errno;
  // Two threads may both come here: every step may be done twice.
  int dir = open_staging();
  bool good = dir >= 0 && prepare(dir);
  if (dir >= 0) sys::close(dir);
  state.store(good ? kActive : kUnusable, std::memory_order_release);
  errno = saved;
  return good;
}

paths::Roots roots() {
  return {Bytes(settings.prefix, settings.prefix_size), Bytes(settings.tree, settings.tree_size)};
}

link_text::Roots link_roots() {
  return {roots().prefix, roots().tree};
}

SharedPage& page() {
  SharedPage* at = shared.load(std::memory_order_acquire);
  return at ? *at : stand_in;
}

const char* journal_file() {
  return journal_name;
}
Bytes id() {
  return Bytes(client_id);
}

Bytes boot() {
  if (boot_id[0] == '\0' &&
      read_small_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot_id, 8)) {
    page().note_boot(boot_number(boot_id), sys::clock_ms(CLOCK_REALTIME));
  }
  return Bytes(boot_id);
}

bool borrowed_memory() {
  if (sys::getpid() == owner_pid.load(std::memory_order_relaxed)) return false;
  if (!copies_known || copy_mark().load(std::memory_order_relaxed) != 0) return true;
  adopt_memory();
  return false;
}

int owner() {
  return owner_pid.load(std::memory_order_relaxed);
}

void adopt_memory() {
  // In this order: a signal's handler between the two finds its pid.
  owner_pid.store(sys::getpid(), std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (copies_known) copy_mark().store(1, std::memory_order_relaxed);
}

void own_memory() {
  copies_known = sys::call(SYS_madvise, sys::arg(copy_mark_page()), kPage, MADV_WIPEONFORK) == 0;
  adopt_memory();
}

int high_descriptor() {
  int known = high.load(std::memory_order_relaxed);
  if (known >= 0) return known;
  struct rlimit limit {};
  if (sys::call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, sys::arg(&limit)) != 0) return 0;
  uint64_t top = limit.rlim_cur < 1024 ? limit.rlim_cur : 1024;
  known = top > 64 ? static_cast<int>(top) - 24 : 0;
  high.store(known, std::memory_order_relaxed);
  return known;
}

void log(int level, const char* what, Bytes path) {
  if (settings.log_file[0] == '\0' || level > settings.log_level) return;
  int fd =
      sys::openat(AT_FDCWD, settings.log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const Bytes levels[] = {"error", "warn", "info", "debug"};
  char line[700];
  Text text(line);
  text.number(static_cast<int64_t>(sys::clock_ms(CLOCK_REALTIME)))
      .add(" wbshim[")
      .number(sys::getpid())
      .add("] ");
  text.add(levels[level & 3]).add(": ").add(what);
  if (path.data) text.add(": ").json(path.size > 300 ? Bytes(path.data, 300) : path);
  text.add('\n');
  sys::write(fd, line, text.size());
  sys::close(fd);
}

void lost(Bytes where) {
  page().scan_needed.store(1, std::memory_order_relaxed);
  log(0, "a change could not be recorded; the uploader's scan will find it", where);
}

void complain(Bytes rel, Bytes why, Bytes what_now) {
  char line[700];
  Text text(line);
  text.add("wbshim: ").add(Bytes(settings.prefix, settings.prefix_size)).add('/');
  text.json(rel.size > 200 ? Bytes(rel.data, 200) : rel).add(": ");
  text.add(why.size > 300 ? Bytes(why.data, 300) : why).add("; ").add(what_now).add('\n');
  // A closed pipe as stderr must not end the program: the signal is blocked, and taken if it came.
  uint64_t pipe_signal = UINT64_C(1) << (SIGPIPE - 1), before = 0, pending = 0;
  sys::call(SYS_rt_sigpending, sys::arg(&pending), sizeof pending);
  sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::arg(&pipe_signal), sys::arg(&before),
            sizeof before);
  long written = sys::write(2, line, text.size());
  if (written == -EPIPE && !(pending & pipe_signal)) {
    struct timespec at_once {};
    sys::call(SYS_rt_sigtimedwait, sys::arg(&pipe_signal), 0, sys::arg(&at_once), sizeof before);
  }
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&before), 0, sizeof before);
}

}  // namespace wbshim::client
