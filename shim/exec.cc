#include "core/base/fault.h"
#include "shim/calls.h"
#include "shim/environment.h"
#include "shim/loader.h"
#include "shim/program.h"
#include "shim/spawn_place.h"

namespace wbshim {
namespace {

using environment::Prepared;

constexpr int kMaxScripts = 5;  // as the kernel: a script whose interpreter is a script …

// The argument vector of a script: interpreter, its argument, the script's own (virtual) path, the
// caller's arguments but the first. In pages of its own; freed when the exec fails.
class ScriptArguments {
 public:
  ScriptArguments(const program::Script& script, const char* path, char* const* argv) {
    size_t count = 0;
    while (argv && argv[count]) count++;
    size_ = (count + 4) * sizeof(char*);
    pages_ = static_cast<const char**>(static_cast<void*>(
        sys::mmap(size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)));
    if (!pages_) return;
    size_t n = 0;
    pages_[n++] = script.interpreter;
    if (script.argument) pages_[n++] = script.argument;
    pages_[n++] = path;
    for (size_t i = 1; i < count; i++) pages_[n++] = argv[i];
    pages_[n] = nullptr;
  }
  ~ScriptArguments() {
    if (pages_) sys::munmap(pages_, size_);
  }
  ScriptArguments(const ScriptArguments&) = delete;
  ScriptArguments& operator=(const ScriptArguments&) = delete;

  bool ok() const { return pages_ != nullptr; }
  char* const* get() const { return const_cast<char* const*>(pages_); }

 private:
  const char** pages_ = nullptr;
  size_t size_ = 0;
};

bool closes_on_exec(int fd) {
  int flags = sys::fcntl(fd, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC);
}

// Descriptors that close on exec lose their last chance of being published here. The exec may fail
// and the program go on: their entries stay. path: for the kernel; what is not there will not start.
void publish_closing(const char* path) {
  if (!descriptors::any_writing() && !borrowed::noted.load(std::memory_order_relaxed)) return;
  long there = sys::call(SYS_faccessat2, AT_FDCWD, sys::arg(path), X_OK, AT_EACCESS);
  if (there < 0 && there != -ENOSYS) return;
  borrowed::each(
      [](int fd, void*) {
        if (closes_on_exec(fd)) publish_named(fd);
      },
      nullptr);
  if (client::borrowed_memory()) return;
  room::leaving();
  const descriptors::Slot* last = nullptr;
  descriptors::each_writing(
      [](int fd, const descriptors::Slot* slot, void* context) {
        auto* told = static_cast<const descriptors::Slot**>(context);
        if (!closes_on_exec(fd) || (slot && (slot->pid != sys::getpid() || slot == *told))) return;
        *told = slot;
        struct stat st {};
        bool named = slot && slot->path_size > 0 &&
                     slot->moves == client::page().moves.load(std::memory_order_relaxed);
        if (!named)
          publish_named(fd);
        else if (sys::fstat(fd, &st) == 0 && st.st_nlink > 0)
          publish({Act::Changed, Bytes(slot->path, slot->path_size)});
      },
      &last);
}

// Whether the kernel, which could not find it, would have come to a program under the prefix.
bool leads_inside(const char* interpreter) {
  program::Script next;
  Mapped m(interpreter);
  return m.ok() && (m.inside() || program::read_script(m.path(), &next));
}

template <typename Start>
int start_mapped(Mapped* m, const char* path, const char* told, char* const* argv,
                 char* const* envp, const void* actions, int level, Start start);

// Starts what `path` names by `start(path, argv, envp)`, seeing to scripts and library paths of
// programs under the prefix. told: the program's word for it, if it is to be started by that.
template <typename Start>
int start_program(const char* path, const char* told, char* const* argv, char* const* envp,
                  const void* actions, int level, Start start) {
  Mapped m(path);
  if (!m.ok()) return failure<int>();
  return start_mapped(&m, path, told, argv, envp, actions, level, start);
}

template <typename Start>
int start_mapped(Mapped* mapped, const char* path, const char* told, char* const* argv,
                 char* const* envp, const void* actions, int level, Start start) {
  const Mapped& m = *mapped;
  if (!m.given()) return start(m.path(), argv, envp);
  program::Script script;
  auto by_interpreter = [&]() -> int {
    ScriptArguments arguments(script, told ? told : path, argv);
    if (arguments.ok() && level < kMaxScripts)
      return start_program(script.interpreter, nullptr, arguments.get(), envp, actions, level + 1,
                           start);
    errno = level < kMaxScripts ? ENOMEM : ELOOP;
    return -1;
  };
  if (m.inside() && NEXT(access)(m.path(), X_OK) == 0 && program::read_script(m.path(), &script))
    return by_interpreter();
  int result;
  {
    Scratch room;
    LoaderArguments arguments(m.path(), argv);
    const char* program = arguments.program() ? arguments.program() : m.path();
    Prepared prepared(envp, program::inspect(program, &room), actions);
    WBSHIM_FAULT(ExecReady);
    result = start(told ? told : m.path(), arguments.get(), prepared.get());
  }
  // A script outside whose interpreter lies inside: the kernel could not find that.
  bool missing = (result == -1 && errno == ENOENT) || result == ENOENT;
  if (missing && mapped->redirect())
    return start_mapped(mapped, path, nullptr, argv, envp, actions, level, start);
  if (!m.inside() && missing && m.given() && program::read_script(m.path(), &script)) {
    int saved = errno;
    if (leads_inside(script.interpreter)) return by_interpreter();
    errno = saved;
  }
  return result;
}

// Vectors that the kernel will not take are not read here either; null stands for an empty one.
bool usable_vectors(char* const* argv, char* const* envp) {
  return (!argv || pointers::vector(argv)) && (!envp || pointers::vector_of_texts(envp));
}

bool search_path_touches_prefix() {
  const char* path = nullptr;
  for (char** e = environ; e && *e; e++) {
    if (strncmp(*e, "PATH=", 5) == 0) path = *e + 5;
  }
  if (!path) return false;
  return strstr(path, settings.prefix) != nullptr || directory_inside();
}

// Tries `file` in every directory of PATH. try_one(path) gives 0 (started) or an errno. Result: 0
// or the errno to report.
template <typename TryOne>
int search(const char* file, TryOne try_one) {
  const char* list = "/bin:/usr/bin";
  for (char** e = environ; e && *e; e++) {
    if (strncmp(*e, "PATH=", 5) == 0) list = *e + 5;
  }
  int error = ENOENT;
  for (const char* p = list;; p++) {
    size_t n = strcspn(p, ":");
    Scratch room;
    char* at = room.reserve(n + strlen(file) + 2);
    if (at) {
      Text candidate(at, room.room());
      if (n > 0) candidate.add(Bytes(p, n)).add('/');
      candidate.add(file);
      int result = try_one(at);
      if (result == 0) return 0;
      if (result == EACCES)
        error = EACCES;
      else if (result != ENOENT && result != ENOTDIR && result != ESTALE && result != ENODEV &&
               result != ETIMEDOUT)
        return result;
    }
    p += n;
    if (!*p) return error;
  }
}

// What libc's own search will start.
program::Traits traits_of_searched(const char* file, bool replaces, Scratch* room) {
  program::Traits traits;
  int saved = errno;
  search(file, [&](const char* candidate) {
    if (NEXT(access)(candidate, X_OK) != 0) return errno;
    if (replaces) publish_closing(candidate);
    traits = program::inspect(candidate, room);
    return 0;
  });
  errno = saved;
  return traits;
}

int run_by_shell(const char* file, char* const* argv, char* const* envp) {
  program::Script script;
  script.interpreter = "/bin/sh";
  ScriptArguments arguments(script, file, argv);
  return arguments.ok() ? execute("/bin/sh", arguments.get(), envp) : -1;
}

}  // namespace

int execute(const char* path, char* const* argv, char* const* envp) {
  if (!settings.on) return NEXT(execve)(path, argv, envp);
  if (!usable_vectors(argv, envp)) {
    return on_path(path, [=](const char* p) { return NEXT(execve)(p, argv, envp); });
  }
  {
    Mapped m(path);
    if (m.ok()) publish_closing(m.path());
  }
  return start_program(path, nullptr, argv, envp, environment::kExec, 0, NEXT(execve));
}

int execute_searched(const char* file, char* const* argv, char* const* envp) {
  if (!settings.on || !file || !file[0] || !usable_vectors(argv, envp))
    return NEXT(execvpe)(file, argv, envp);
  if (strchr(file, '/')) {
    int result = execute(file, argv, envp);
    return errno == ENOEXEC ? run_by_shell(file, argv, envp) : result;
  }
  if (!search_path_touches_prefix()) {
    Scratch room;
    program::Traits traits = traits_of_searched(file, true, &room);
    Prepared prepared(envp, traits, environment::kExec);
    return NEXT(execvpe)(file, argv, prepared.get());
  }
  errno = search(file, [&](const char* candidate) {
    execute(candidate, argv, envp);
    if (errno == ENOEXEC) run_by_shell(candidate, argv, envp);
    return errno;
  });
  return -1;
}

namespace {

// What the kernel calls a program that is named by a descriptor, and a path from there (or none).
bool name_by_descriptor(const char* where, int fd, const char* path, Scratch* room) {
  char* at = room->reserve(path && path[0] ? strlen(path) + 40 : 40);
  if (!at) return false;
  Text name(at, room->room());
  name.add(where).number(fd);
  if (path && path[0]) name.add('/').add(path);
  return name.ok();
}

// Named by a descriptor: a script whose interpreter lies under the prefix gets the kernel's name of
// itself, which leads nowhere once the descriptor is closed by the exec.
int execute_by_descriptor(int fd, const char* path, char* const* argv, char* const* envp, int flags,
                          bool at) {
  Scratch room;
  if (!name_by_descriptor("/proc/self/fd/", fd, path, &room)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  publish_closing(room.text().data);
  program::Script script;
  struct stat st {};
  bool refused = (flags & AT_SYMLINK_NOFOLLOW) && path && path[0] &&
                 sys::fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
  if (!refused && !closes_on_exec(fd) && program::read_script(room.text().data, &script) &&
      Mapped(script.interpreter).inside()) {
    Scratch name_room;
    if (name_by_descriptor("/dev/fd/", fd, path, &name_room)) {
      ScriptArguments arguments(script, name_room.text().data, argv);
      if (arguments.ok())
        return start_program(script.interpreter, nullptr, arguments.get(), envp, environment::kExec,
                             1, NEXT(execve));
    }
  }
  Scratch traits_room;
  Prepared prepared(envp, program::inspect(room.text().data, &traits_room), environment::kExec);
  return at ? NEXT(execveat)(fd, path, argv, prepared.get(), flags)
            : NEXT(fexecve)(fd, argv, prepared.get());
}

}  // namespace

int execute_fd(int fd, const char* path, char* const* argv, char* const* envp, int flags, bool at) {
  if (!settings.on || !usable_vectors(argv, envp)) {
    if (!at) return NEXT(fexecve)(fd, argv, envp);
    return on_path_at(fd, path,
                      [=](const char* p) { return NEXT(execveat)(fd, p, argv, envp, flags); });
  }
  if (!at) return execute_by_descriptor(fd, nullptr, argv, envp, flags, at);
  Mapped m(fd, path);
  if (!m.ok()) return -1;
  bool plain = (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) == 0 && m.given() &&
               (path[0] || (flags & AT_EMPTY_PATH));
  if (!m.given()) return NEXT(execveat)(fd, path, argv, envp, flags);
  if (path[0] == '/' || (fd == AT_FDCWD && path[0])) {
    if (m.inside()) return execute(path, argv, envp);
  } else if (m.path() != path) {
    // From another directory across the border: the program gets its whole virtual name.
    Scratch room;
    char* to = room.reserve(8192);
    Text name(to, to ? room.room() : 0);
    if (to && paths::to_virtual(client::roots(), m.path(), &name)) return execute(to, argv, envp);
  } else if (plain && fd != AT_FDCWD) {
    return execute_by_descriptor(fd, path, argv, envp, flags, at);
  }
  publish_closing(m.path());
  Scratch room;
  Prepared prepared(envp, program::inspect(m.path(), &room), environment::kExec);
  return NEXT(execveat)(fd, m.path(), argv, prepared.get(), flags);
}

int spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
          const posix_spawnattr_t* attributes, char* const* argv, char* const* envp,
          bool searched) {
  auto real = [&](const char* p, char* const* a, char* const* e) {
    return NEXT(posix_spawn)(pid, p, actions, attributes, a, e);
  };
  if (!settings.on || !usable_vectors(argv, envp)) {
    if (settings.on && path && (!searched || strchr(path, '/'))) {
      Mapped m(path);
      return m.ok() ? real(m.path(), argv, envp) : errno;
    }
    return searched ? NEXT(posix_spawnp)(pid, path, actions, attributes, argv, envp)
                    : real(path, argv, envp);
  }
  int result, saved = errno;
  const void* how = actions ? static_cast<const void*>(actions) : environment::kNoActions;
  if (!searched || !path || strchr(path, '/')) {
    Scratch room;
    bool elsewhere = pointers::path(path) && name_in_child(actions, path, &room);
    result = elsewhere ? start_program(room.text().data, path, argv, envp, how, 0, real)
                       : start_program(path, nullptr, argv, envp, how, 0, real);
  } else if (!search_path_touches_prefix()) {
    Scratch room;
    Prepared prepared(envp, traits_of_searched(path, false, &room), how);
    // What libc's search leaves in errno stays.
    errno = saved;
    return NEXT(posix_spawnp)(pid, path, actions, attributes, argv, prepared.get());
  } else {
    result = search(path, [&](const char* candidate) {
      int error = start_program(candidate, nullptr, argv, envp, how, 0, real);
      if (error == -1) error = errno;
      if (error != 0) saved = error;
      return error;
    });
  }
  if (result == -1) result = errno;  // a path that did not fit
  // libc's child shares errno, and leaves there what failed.
  errno = result != 0 ? result : saved;
  return result;
}

namespace {

// Descriptors that file actions will open, or duplicate, onto a file under the prefix: the child
// must be told (WBSHIM_FDS). A ring: an entry that outlives its actions makes some child look at a
// descriptor for nothing.
struct Promised {
  std::atomic<const void*> actions;
  std::atomic<int> fd;
};
constinit Promised promised[16] = {};
constinit std::atomic<unsigned> next_promise = 0;

void promise(const void* actions, int fd) {
  Promised& p = promised[next_promise.fetch_add(1) % 16];
  p.fd.store(fd);
  p.actions.store(actions);
}

}  // namespace

void each_promised(const void* actions, void (*visit)(int fd, void* context), void* context) {
  if (!actions || next_promise.load(std::memory_order_relaxed) == 0) return;
  for (Promised& p : promised) {
    if (p.actions.load() == actions) visit(p.fd.load(), context);
  }
}

int spawn_add_open(posix_spawn_file_actions_t* actions, int fd, const char* path, int flags,
                   mode_t mode) {
  Mapped m(path);
  if (!m.ok() || writes_stats(m, flags)) return errno;
  int saved = errno;
  if (settings.on && opens_for_change(flags) && m.inside()) promise(actions, fd);
  errno = saved;
  return NEXT(posix_spawn_file_actions_addopen)(actions, fd, m.path(), flags, mode);
}

int spawn_add_dup2(posix_spawn_file_actions_t* actions, int fd, int to) {
  if (descriptors::writes(descriptors::mark(fd))) promise(actions, to);
  return NEXT(posix_spawn_file_actions_adddup2)(actions, fd, to);
}

int spawn_add_chdir(posix_spawn_file_actions_t* actions, const char* path) {
  Mapped m(path);
  if (!m.ok()) return errno;
  return NEXT(posix_spawn_file_actions_addchdir_np)(actions, m.path());
}

}  // namespace wbshim
