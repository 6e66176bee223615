// What the rows of entry_points.def call: one function or template per kind of file operation. The
// policy of a kind stands here once; the rows only unpack arguments and name the next libc's
// function. Every call keeps libc's own errno on failure.
#pragma once

#include <errno.h>

#include "core/base/fault.h"
#include "shim/descriptors.h"
#include "shim/drop.h"
#include "shim/durable.h"
#include "shim/mapped.h"
#include "shim/next.h"
#include "shim/pointers.h"
#include "shim/publish.h"
#include "shim/room.h"

namespace wbshim {

// A result that means failure: -1, or a null pointer.
template <typename R>
inline bool failed(R result) {
  if constexpr (requires { *result; })
    return result == nullptr;
  else
    return result == static_cast<R>(-1);
}
template <typename R>
inline R failure() {
  if constexpr (requires(R r) { *r; })
    return nullptr;
  else
    return static_cast<R>(-1);
}

// Calls with the translated path; again when it passes a link outside that leads into the prefix.
// missing: the call has been made already, and the path was not there.
template <typename Call>
inline auto reach(Mapped* m, Call call, Mapped::Last last = Mapped::Last::Followed,
                  bool missing = false) -> decltype(call(m->path())) {
  auto result = missing ? failure<decltype(call(m->path()))>() : call(m->path());
  for (int i = 0; i < 8 && __builtin_expect(failed(result), 0) && errno == ENOENT; i++) {
    if (!m->redirect(last)) break;
    result = call(m->path());
  }
  return result;
}

// Nearly all calls end here: their path is plainly outside, and is there. Each return to a caller
// between the kernel's answer and the program costs some 10 ns (the processor's guesses are gone
// after a system call), so the wrapper itself makes the call. rest(missing) does what remains: as
// reach().
template <typename Call, typename Rest>
inline auto unless_outside(const char* path, Call call, Rest rest) -> decltype(call(path)) {
  if (!plainly_outside(path)) return rest(false);
  auto result = call(path);
  if (__builtin_expect(!failed(result) || errno != ENOENT, 1)) return result;
  return rest(true);
}

// Makes something of that name: once more when the disk was full and room has been made.
template <typename Call>
inline auto with_room(const Mapped& m, Call call) -> decltype(call()) {
  auto result = call();
  if (__builtin_expect(failed(result) && room::Again::is_full(errno) && settings.on, 0)) {
    room::Again again;
    while (failed(result) && m.inside() && again.after(errno, room::kName)) result = call();
  }
  return result;
}

// Both.
template <typename Call>
inline auto reach_with_room(Mapped* m, Call call) -> decltype(call(m->path())) {
  return reach(m, [&](const char* path) { return with_room(*m, [&] { return call(path); }); });
}

// Looks, changes nothing: translate and call.
template <typename Call>
inline auto on_path_at(int dirfd, const char* path, Call call) -> decltype(call(path)) {
  return unless_outside(path, call, [&](bool missing) {
    Mapped m(dirfd, path);
    if (!m.ok()) return failure<decltype(call(path))>();
    return reach(&m, call, Mapped::Last::Followed, missing);
  });
}
template <typename Call>
inline auto on_path(const char* path, Call call) -> decltype(call(path)) {
  return on_path_at(AT_FDCWD, path, call);
}

// Makes what is not recorded.
template <typename Call>
inline int on_special_at(int dirfd, const char* path, Call call) {
  Mapped m(dirfd, path);
  return m.ok() && !m.refuses() ? reach_with_room(&m, call) : -1;
}

// pathconf(): most of its answers do not depend on the path, so it may be wrong.
template <typename Call>
inline auto on_path_if_it_matters(const char* path, Call call) -> decltype(call(path)) {
  Mapped m(path);
  return call(m.ok() ? m.path() : path);
}

// Publishes a mapped path after a call that succeeded.
void changed(const Mapped& m, Act act = Act::Changed);

// A call that changed what a path names, and whose last name is a link, has changed the link's target: publishes that.
void changed_through_link(const Mapped& m, int dirfd);

// Changes what is at the path (chmod, truncate, utimens, setxattr, mkdir …).
template <typename Call>
inline auto on_change_at(int dirfd, const char* path, Call call) -> decltype(call(path)) {
  Mapped m(dirfd, path);
  if (!m.ok() || m.refuses()) return failure<decltype(call(path))>();
  auto result = reach_with_room(&m, call);
  if (result == 0 && m.inside()) {
    changed(m);
    changed_through_link(m, dirfd);
  }
  return result;
}
template <typename Call>
inline auto on_change(const char* path, Call call) -> decltype(call(path)) {
  return on_change_at(AT_FDCWD, path, call);
}

// The attributes of an open file changed (fchmod, futimens …). One that will be published at its
// close anyway waits for that.
void changed_fd(int fd);
// Publishes an open file under the name that the kernel knows, if that is in the tree.
void publish_named(int fd);

// As on_change_at, for calls that take a null or empty path as "the descriptor itself" (utimensat,
// fchownat …).
template <typename Call>
inline int on_change_or_fd(int fd, const char* path, Call call) {
  if (path && (!pointers::path(path) || path[0])) return on_change_at(fd, path, call);
  int result = call(path);
  if (result == 0) changed_fd(fd);
  return result;
}

// fsync and fdatasync: of a file that may be written under the prefix the name is on disk, too.
template <typename Call>
inline int sync_fd(int fd, Call call) {
  int result = call(fd);
  if (result == 0 && descriptors::writes(descriptors::mark(fd))) durable::settle_name(fd);
  return result;
}

// sync_file_range() flushes neither the disk's cache nor what is needed to find the bytes again.
template <typename Call>
inline int sync_range_fd(int fd, Call call) {
  int result = call(fd);
  if (result != 0 || !descriptors::writes(descriptors::mark(fd))) return result;
  return sync_fd(fd, [](int f) { return NEXT(fdatasync)(f); });
}

template <typename Call>
inline int on_change_fd(int fd, Call call) {
  int result = call();
  if (result == 0 && client::active()) changed_fd(fd);
  return result;
}

// Removes a name.
template <typename Call>
inline int on_removal_at(int dirfd, const char* path, Call call) {
  Mapped m(dirfd, path);
  if (!m.ok() || m.refuses()) return -1;
  Scratch room;
  Bytes rel;
  int saved = errno;
  // The parent may be gone, or be another, once the name is.
  bool known = m.inside() && m.locate(&room, &rel);
  errno = saved;
  int result = call(m.path());
  if (result != 0 && errno == ENOENT && m.redirect(Mapped::Last::Kept)) {
    known = m.locate(&room, &rel);
    errno = saved;
    result = call(m.path());
  }
  if (result == 0 && m.inside()) client::page().moves.fetch_add(1, std::memory_order_relaxed);
  WBSHIM_FAULT(Removed);
  if (result == 0 && known)
    publish({Act::Removed, rel});
  else if (result == 0 && m.inside())
    client::lost(m.path());
  return result;
}

// --- files (open.cc)
// missing: as for reach().
int open_mapped(int dirfd, const char* path, int flags, unsigned mode,
                int (*real)(int, const char*, int, unsigned), bool missing);
template <typename Real>
inline int open_file(int dirfd, const char* path, int flags, unsigned mode, Real real) {
  return unless_outside(
      path, [&](const char* p) { return real(dirfd, p, flags, mode); },
      [&](bool missing) { return open_mapped(dirfd, path, flags, mode, real, missing); });
}
bool opens_for_change(int flags);
// Whether an open is one of the statistics file, which cannot be written; errno is set then.
bool writes_stats(const Mapped& m, int flags);
// Remembers a descriptor that was just opened under the prefix. errno is kept.
void note_open(const Mapped& m, int fd, int flags);
inline bool takes_mode(int flags) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}
FILE* open_stream(const char* path, const char* mode, FILE* (*real)(const char*, const char*));
FILE* reopen_stream(const char* path, const char* mode, FILE* stream,
                    FILE* (*real)(const char*, const char*, FILE*));
int close_stream(FILE* stream, int (*real)(FILE*));
int flush_stream(FILE* stream, int (*real)(FILE*));
DIR* open_directory(const char* path);
int close_directory(DIR* dir);

// --- names that libc makes up (temporary.cc)
int make_temporary(char* name, int suffix, int (*real)(char* name, int suffix, int flags),
                   int flags);
char* make_temporary_directory(char* name);
char* make_name(char* name, char* (*real)(char*));
char* name_temporary(const char* directory, const char* prefix);

// --- descriptors (fds.cc)
int close_fd(int fd);
int dup_fd(int fd);
int dup_onto(int from, int to, int flags, bool with_flags);
int close_fds(unsigned first, unsigned last, int flags);
void close_from(int first);
int control_fd(int fd, int command, long argument, bool large);
[[noreturn]] void end_process(int status, void (*real)(int));

// --- writes to an open file (room_calls.cc): tried again when the disk was full and room has been made
ssize_t write_fd(int fd, const void* data, size_t size, ssize_t (*real)(int, const void*, size_t));
ssize_t write_fd_at(int fd, const void* data, size_t size, off_t at,
                    ssize_t (*real)(int, const void*, size_t, off_t));
ssize_t write_pieces(int fd, const struct iovec* pieces, int count,
                     ssize_t (*real)(int, const struct iovec*, int));
ssize_t write_pieces_at(int fd, const struct iovec* pieces, int count, off_t at,
                        ssize_t (*real)(int, const struct iovec*, int, off_t));
ssize_t write_pieces_how(int fd, const struct iovec* pieces, int count, off_t at, int flags,
                         ssize_t (*real)(int, const struct iovec*, int, off_t, int));
ssize_t send_file(int to, int from, off_t* at, size_t size,
                  ssize_t (*real)(int, int, off_t*, size_t));
ssize_t copy_range(int from, off_t* from_at, int to, off_t* to_at, size_t size, unsigned flags);
int allocate(int fd, int mode, off_t at, off_t size, int (*real)(int, int, off_t, off_t));
int allocate_surely(int fd, off_t at, off_t size, int (*real)(int, off_t, off_t));
int change_size(int fd, off_t size, int (*real)(int, off_t));
long write_by_number(int fd, size_t size, long number, const long* a);

// --- names (names.cc)
int rename_file(int from_dir, const char* from, int to_dir, const char* to, unsigned flags,
                bool with_flags);
int link_file(int from_dir, const char* from, int to_dir, const char* to, int flags);
int link_symbolically(const char* target, int dirfd, const char* path);
ssize_t read_link(int dirfd, const char* path, char* to, size_t size);
void fix_link_size(int dirfd, const char* mapped, off_t* size);

template <typename Stat, typename Call>
inline int on_stat(int dirfd, const char* path, Stat* st, Call call) {
  return unless_outside(path, call, [&](bool missing) {
    Mapped m(dirfd, path);
    if (!m.ok()) return -1;
    int result = reach(&m, call, Mapped::Last::Followed, missing);
    if (result == 0 && S_ISLNK(st->st_mode) && m.inside())
      fix_link_size(dirfd, m.path(), &st->st_size);
    return result;
  });
}

// --- the working directory and canonical names (directory.cc)
int change_directory(const char* path);
int change_directory_fd(int fd);
char* current_directory(char* to, size_t size);
char* current_directory_allocated();
char* canonical_path(const char* path, char* to);

// --- programs (exec.cc)
int execute(const char* path, char* const* argv, char* const* envp);
int execute_searched(const char* file, char* const* argv, char* const* envp);
int execute_fd(int fd, const char* path, char* const* argv, char* const* envp, int flags, bool at);
int spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
          const posix_spawnattr_t* attributes, char* const* argv, char* const* envp, bool searched);
int spawn_add_open(posix_spawn_file_actions_t* actions, int fd, const char* path, int flags,
                   mode_t mode);
int spawn_add_dup2(posix_spawn_file_actions_t* actions, int fd, int to);
// Calls visit for every descriptor that these file actions give the child and that may be written
// under the prefix.
void each_promised(const void* actions, void (*visit)(int fd, void* context), void* context);
int spawn_add_chdir(posix_spawn_file_actions_t* actions, const char* path);

// --- more directory readers (glob.cc), statx (statx.cc)
int glob_paths(const char* pattern, int flags, int (*error)(const char*, int), glob_t* found,
               int (*real)(const char*, int, int (*)(const char*, int), glob_t*));
int glob_paths(const char* pattern, int flags, int (*error)(const char*, int), glob64_t* found,
               int (*real)(const char*, int, int (*)(const char*, int), glob64_t*));
int on_statx(int dirfd, const char* path, int flags, unsigned mask, struct statx* st);

// --- walks (walks.cc, fts.cc). `real` is the next libc's: for paths, or handles, that are not ours.
int walk_files(const char* path, VisitFile visit, int most_open,
               int (*real)(const char*, VisitFile, int));
int walk_nodes(const char* path, VisitNode visit, int most_open, int flags,
               int (*real)(const char*, VisitNode, int, int));
FTS* tree_open(char* const* paths, int options, CompareNodes order,
               FTS* (*real)(char* const*, int, CompareNodes));
FTSENT* tree_read(FTS* handle, FTSENT* (*real)(FTS*));
FTSENT* tree_children(FTS* handle, int what, FTSENT* (*real)(FTS*, int));
int tree_set(FTS* walk, FTSENT* node, int order, int (*real)(FTS*, FTSENT*, int));
int tree_close(FTS* walk, int (*real)(FTS*));

// --- libraries (libraries.cc)
void* open_library(const char* path, int flags);
void* open_library_in(Lmid_t space, const char* path, int flags);
char* library_error();

// --- commands (commands.cc)
int run_command(const char* command);
FILE* open_command(const char* command, const char* mode);

// --- processes that libc starts or remakes (processes.cc)
int become_daemon(int keep_directory, int keep_descriptors);
int change_root(const char* path);

// --- syscall() (raw.cc)
long raw_call(long number, const long* a);

}  // namespace wbshim
