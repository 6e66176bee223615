#include <limits.h>
#include <sys/resource.h>

#include "core/base/fault.h"
#include "core/base/sys.h"
#include "shim/calls.h"

namespace wbshim {

int close_fd(int fd) {
  forget_journal(fd, fd);
  if (!tracked(fd)) return NEXT(close)(fd);
  Drop drop(fd);
  WBSHIM_FAULT(CloseBegun);
  int result = NEXT(close)(fd);
  WBSHIM_FAULT(CloseClosed);
  int late = drop.finish(true);
  if (result == 0 && late != 0) {
    errno = late;
    return -1;
  }
  return result;
}

int dup_fd(int fd) {
  int result = NEXT(dup)(fd);
  if (result >= 0) descriptors::duplicated(fd, result);
  return result;
}

namespace {

// A limit that was lowered does not close what lies past it, but nothing can be put there any more.
bool allowed(int fd) {
  struct rlimit limit {};
  return sys::call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, sys::arg(&limit)) != 0 ||
         static_cast<uint64_t>(fd) < limit.rlim_cur;
}

}  // namespace

int dup_onto(int from, int to, int flags, bool with_flags) {
  auto real = [&] { return with_flags ? NEXT(dup3)(from, to, flags) : NEXT(dup2)(from, to); };
  // One that fails leaves its target open: only what will succeed drops it.
  bool drops = tracked(to) && from != to && (flags & ~O_CLOEXEC) == 0 && allowed(to) &&
               sys::fcntl(from, F_GETFD) >= 0;
  if (!drops) {
    if (from != to) forget_journal(to, to);
    int result = real();
    if (result >= 0) descriptors::duplicated(from, result);
    return result;
  }
  Drop drop(to);
  int result = real();
  if (result >= 0) descriptors::duplicated(from, result);
  WBSHIM_FAULT(DupOver);
  drop.finish(false);
  return result;
}

namespace {

struct Range {
  unsigned first, last;
};

// Closes the descriptors of a range that need publishing one by one; the rest goes in one call.
void close_writing(unsigned first, unsigned last) {
  Range range{first, last};
  descriptors::each_writing(
      [](int fd, const descriptors::Slot*, void* context) {
        auto* r = static_cast<Range*>(context);
        if (static_cast<unsigned>(fd) >= r->first && static_cast<unsigned>(fd) <= r->last)
          close_fd(fd);
      },
      &range);
  borrowed::each(
      [](int fd, void* context) {
        auto* r = static_cast<Range*>(context);
        if (static_cast<unsigned>(fd) >= r->first && static_cast<unsigned>(fd) <= r->last)
          close_fd(fd);
      },
      &range);
  descriptors::forget(first, last);
  forget_journal(static_cast<int>(first),
                 last > static_cast<unsigned>(INT_MAX) ? INT_MAX : static_cast<int>(last));
}

}  // namespace

int close_fds(unsigned first, unsigned last, int flags) {
  if (settings.on && !(flags & 4 /* CLOSE_RANGE_CLOEXEC */) && first <= last) {
    // One that fails (flags, an old kernel, a table of its own that cannot be had) closes nothing:
    // asked for a number that is never open.
    if (client::active() || descriptors::any_writing()) {
      if (int error = NEXT(close_range)(~0U, ~0U, flags)) return error;
    }
    close_writing(first, last);
  }
  return NEXT(close_range)(first, last, flags);
}

void close_from(int first) {
  if (settings.on) close_writing(first < 0 ? 0 : static_cast<unsigned>(first), ~0U);
  NEXT(closefrom)(first);
}

int control_fd(int fd, int command, long argument, bool large) {
  int result = large ? NEXT(fcntl64)(fd, command, argument) : NEXT(fcntl)(fd, command, argument);
  if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
    descriptors::duplicated(fd, result);
  return result;
}

void end_process(int status, void (*real)(int)) {
  if (settings.on) sweep();
  real(status);
  __builtin_unreachable();
}

void publish_named(int fd) {
  int saved = errno;
  Scratch room;
  char* at = room.reserve(8192);
  if (at) {
    Text name(at, room.room());
    struct stat st {};
    Bytes below;
    if (sys::fstat(fd, &st) == 0 && st.st_nlink > 0 && descriptor_path(fd, &name)) {
      below = paths::below(client::roots().tree, name.bytes());
    }
    if (below.data && below.size > 1)
      publish({Act::Changed, Bytes(below.data + 1, below.size - 1)});
  }
  errno = saved;
}

void changed_fd(int fd) {
  if (client::active() && !descriptors::writes(descriptors::mark(fd))) publish_named(fd);
}

}  // namespace wbshim
