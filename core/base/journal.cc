#include "core/base/journal.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/base/crc32c.h"
#include "core/base/fault.h"
#include "core/base/sys.h"
#include "core/base/text.h"

namespace wbshim::journal {
namespace {

constexpr size_t kHead = 1 + 1 + 4 + 8 + 1;  // "W1" length crc SP

bool parse_hex(Bytes text, uint64_t* value) {
  *value = 0;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                     : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                                            : 16;
    if (digit == 16) return false;
    *value = *value * 16 + digit;
  }
  return true;
}

bool parse_payload(Bytes payload, Line* line) {
  if (payload.size < 4 || payload.data[1] != ' ') return false;
  switch (payload.data[0]) {
    case 'c':
    case 'u':
    case 'm':
    case 'h':
    case 't':
      break;
    default:
      return false;
  }
  line->kind = static_cast<Kind>(payload.data[0]);
  line->base = 0;
  size_t i = 2;
  while (i < payload.size && payload.data[i] >= '0' && payload.data[i] <= '9') {
    line->base = line->base * 10 + static_cast<uint64_t>(payload.data[i] - '0');
    i++;
  }
  if (i == 2 || i >= payload.size || payload.data[i] != ' ') return false;
  line->path = Bytes(payload.data + i + 1, payload.size - i - 1);
  return true;
}

// The text between `rest` and its first NUL is a whole line: is it sound?
bool parse_line(Bytes text, Line* line) {
  uint64_t length, crc;
  if (text.size < kHead || text.data[0] != 'W' || text.data[1] != '1') return false;
  if (!parse_hex(Bytes(text.data + 2, 4), &length) || !parse_hex(Bytes(text.data + 6, 8), &crc))
    return false;
  Bytes payload(text.data + kHead, text.size - kHead);
  return text.data[14] == ' ' && payload.size == length && crc32c(payload) == crc &&
         parse_payload(payload, line);
}

}  // namespace

size_t encode(const Line& line, char* room, size_t size) {
  if (size < kHead + 24) return 0;
  Text payload(room + kHead, size - kHead);
  payload.add(static_cast<char>(line.kind))
      .add(' ')
      .unsigned_number(line.base)
      .add(' ')
      .add(line.path);
  if (!payload.ok() || payload.size() > 0xffff) return 0;
  char head[kHead + 1];
  Text text(head);
  text.add("W1").hex(payload.size(), 4).hex(crc32c(payload.bytes()), 8).add(' ');
  memcpy(room, head, kHead);
  return kHead + payload.size() + 1;
}

Next decode(Bytes* rest, Line* line) {
  const void* end = rest->size > 0 ? memchr(rest->data, '\0', rest->size) : nullptr;
  if (!end) return Next::End;
  size_t length = static_cast<size_t>(static_cast<const char*>(end) - rest->data);
  Bytes text(rest->data, length);
  *rest = Bytes(rest->data + length + 1, rest->size - length - 1);
  return parse_line(text, line) ? Next::Line : Next::Skipped;
}

namespace {

constexpr size_t kBig = 8192;

// What the kept descriptor was when it was opened. One journal a process.
constinit std::atomic<uint64_t> kept_inode = 0, kept_device = 0;

// Whether the descriptor still is the journal, in its directory: else the reader has taken it, or
// the number is not ours.
bool still_current(int fd) {
  struct stat st {};
  return sys::fstat(fd, &st) == 0 && st.st_nlink > 0 &&
         st.st_ino == kept_inode.load(std::memory_order_relaxed) &&
         st.st_dev == kept_device.load(std::memory_order_relaxed);
}

// Writes by the kept descriptor. False: there is none that serves any more.
bool append_kept(const char* at, size_t length, std::atomic<int>* keep) {
  int fd = keep->load(std::memory_order_acquire);
  if (fd < 0) return false;
  if (still_current(fd) && sys::write(fd, at, length) == static_cast<long>(length)) {
    WBSHIM_FAULT(JournalKept);
    if (still_current(fd)) return true;
  }
  // The reader has taken the file: ours to close. Another file: the number is the program's by now.
  struct stat st {};
  bool ours = sys::fstat(fd, &st) == 0 && st.st_ino == kept_inode.load(std::memory_order_relaxed) &&
              st.st_dev == kept_device.load(std::memory_order_relaxed);
  int expected = fd;
  if (keep->compare_exchange_strong(expected, -1) && ours) sys::close(fd);
  return false;
}

void keep_descriptor(int fd, const struct stat& st, std::atomic<int>* keep, int keep_at) {
  int none = -1;
  int high = sys::fcntl(fd, F_DUPFD_CLOEXEC, keep_at);
  if (high < 0) return;
  kept_inode.store(st.st_ino, std::memory_order_relaxed);
  kept_device.store(st.st_dev, std::memory_order_relaxed);
  if (!keep->compare_exchange_strong(none, high, std::memory_order_release)) sys::close(high);
}

bool append_opened(const char* file, const char* at, size_t length, std::atomic<int>* keep,
                   int keep_at) {
  for (int attempt = 0; attempt < 100; attempt++) {
    int fd =
        sys::openat(AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    WBSHIM_FAULT(JournalOpened);
    long written = sys::write(fd, at, length);
    struct stat st {};
    WBSHIM_FAULT(JournalWritten);
    bool whole = written == static_cast<long>(length);
    bool done = whole && sys::fstat(fd, &st) == 0 && st.st_nlink > 0;
    if (done && keep && keep->load(std::memory_order_relaxed) < 0)
      keep_descriptor(fd, st, keep, keep_at);
    sys::close(fd);
    if (done) WBSHIM_FAULT(JournalSure);
    if (done) return true;
    if (!whole && written != -EINTR) return false;
  }
  return false;
}

}  // namespace

bool append(const char* file, const Line& line, std::atomic<int>* keep, int keep_at) {
  // Most paths are short: keep the frame small for programs that run on small stacks.
  char room[640];
  char* at = room;
  size_t size = sizeof room;
  void* big = nullptr;
  if (line.path.size > sizeof room - 64) {
    big = sys::mmap(kBig, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (!big) return false;
    at = static_cast<char*>(big);
    size = kBig;
  }
  size_t length = encode(line, at, size);
  WBSHIM_FAULT(JournalBegun);
  bool done = length > 0 && ((keep && append_kept(at, length, keep)) ||
                             append_opened(file, at, length, keep, keep_at));
  if (big) sys::munmap(big, kBig);
  return done;
}

}  // namespace wbshim::journal
