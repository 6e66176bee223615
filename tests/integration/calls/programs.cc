// Programs: started in every way, with the path as the program, its output or its directory.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

char kFirst[] = "first", kSecond[] = "second arg";
char* const kArguments[] = {kFirst, kSecond, nullptr};

// A program that cannot be executed says why.
void run_as(Table* table, const std::string& name, bool at,
            const std::function<int(const Argument&)>& call) {
  const Run run = [=](const Argument& a) {
    return output_of([&] {
      setenv("PATH", (places.root + ":/usr/bin:/bin").c_str(), 1);
      const std::string why = status(call(a));
      dprintf(1, "%s", why.c_str());
    });
  };
  if (at)
    table->at(name, run);
  else
    table->path(name, run);
}

using Exec = int(const char*, char* const*);
using ExecEnvironment = int(const char*, char* const*, char* const*);

void executed(Table* table) {
  for (const char* name : {"execv", "execvp"})
    run_as(table, name, false,
           [=](const Argument& a) { return libc<Exec>(name)(a.path, kArguments); });
  for (const char* name : {"execve", "execvpe"})
    run_as(table, name, false, [=](const Argument& a) {
      return libc<ExecEnvironment>(name)(a.path, kArguments, environ);
    });
  for (const char* name : {"execl", "execlp"})
    run_as(table, name, false, [=](const Argument& a) {
      return libc<int(const char*, const char*, ...)>(name)(a.path, kFirst, kSecond, nullptr);
    });
  run_as(table, "execle", false, [](const Argument& a) {
    return libc<int(const char*, const char*, ...)>("execle")(a.path, kFirst, kSecond, nullptr,
                                                              environ);
  });
  for (const int flags : {O_RDONLY, O_PATH})
    run_as(table, flags ? "fexecve:path" : "fexecve:read", false, [=](const Argument& a) {
      const int fd = open(a.path, flags);
      return fd < 0
                 ? fd
                 : libc<int(int, char* const*, char* const*)>("fexecve")(fd, kArguments, environ);
    });
  for (const int flags : {0, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW}) {
    const std::string variant = std::to_string(flags);
    run_as(table, "execveat:" + variant, true, [=](const Argument& a) {
      return libc<int(int, const char*, char* const*, char* const*, int)>("execveat")(
          a.dirfd, a.path, kArguments, environ, flags);
    });
    run_as(table, "syscall:execveat+" + variant, true, [=](const Argument& a) {
      return static_cast<int>(syscall(SYS_execveat, a.dirfd, a.path, kArguments, environ, flags));
    });
  }
  run_as(table, "syscall:execve", false, [](const Argument& a) {
    return static_cast<int>(syscall(SYS_execve, a.path, kArguments, environ));
  });
}

using Spawn = int(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                  char* const*, char* const*);

std::string spawned(const char* name, const char* path, const posix_spawn_file_actions_t* actions,
                    char* const* arguments) {
  return in_child([&] {
    pid_t child = 0;
    const int result = libc<Spawn>(name)(&child, path, actions, nullptr, arguments, environ);
    if (result != 0) return std::string(strerrorname_np(result));
    int how = 0;
    waitpid(child, &how, 0);
    return " " + ended(how);
  });
}

void with_actions(Table* table) {
  static char shell[] = "sh", option[] = "-c", echo[] = "echo spawned", where[] = "pwd";
  static char* const echoes[] = {shell, option, echo, nullptr};
  static char* const asks[] = {shell, option, where, nullptr};
  for (const int flags : {O_WRONLY, O_WRONLY | O_CREAT | O_TRUNC})
    table->path("posix_spawn_file_actions_addopen:" + std::to_string(flags),
                [=](const Argument& a) {
                  posix_spawn_file_actions_t actions;
                  posix_spawn_file_actions_init(&actions);
                  auto* add = libc<int(posix_spawn_file_actions_t*, int, const char*, int, mode_t)>(
                      "posix_spawn_file_actions_addopen");
                  const int added = add(&actions, 1, a.path, flags | O_NONBLOCK, 0644);
                  return std::to_string(added) + " " +
                         (added ? "" : spawned("posix_spawn", "/bin/sh", &actions, echoes));
                });
  table->path("posix_spawn_file_actions_adddup2", [](const Argument& a) {
    const int fd = open(a.path, O_WRONLY | O_NONBLOCK);
    if (fd < 0) return status(fd);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int added = libc<int(posix_spawn_file_actions_t*, int, int)>(
        "posix_spawn_file_actions_adddup2")(&actions, fd, 1);
    return std::to_string(added) + spawned("posix_spawn", "/bin/sh", &actions, echoes) +
           status(close(fd));
  });
  table->path("posix_spawn_file_actions_addchdir_np", [](const Argument& a) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int added = libc<int(posix_spawn_file_actions_t*, const char*)>(
        "posix_spawn_file_actions_addchdir_np")(&actions, a.path);
    return std::to_string(added) + " " +
           (added ? "" : spawned("posix_spawn", "/bin/sh", &actions, asks));
  });
  for (const char* name : {"posix_spawn", "posix_spawnp"})
    table->path(name,
                [=](const Argument& a) { return spawned(name, a.path, nullptr, kArguments); });
}

// As one word of the shell's language.
std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void commands(Table* table) {
  for (const char* redirection : {": < ", "echo shell > ", "cd "}) {
    const std::string start = redirection;
    table->path("system:" + start, [=](const Argument& a) {
      if (!a.path) return std::string("no path");
      return in_child([&] {
        return ended(
            libc<int(const char*)>("system")((start + quoted(a.path) + " && pwd").c_str()));
      });
    });
    for (const char* name : {"popen", "pclose"})
      table->path(std::string(name) + ":" + start, [=](const Argument& a) {
        if (!a.path) return std::string("no path");
        FILE* stream = libc<FILE*(const char*, const char*)>("popen")(
            (start + quoted(a.path) + " && pwd").c_str(), "re");
        if (!stream) return "null " + status(-1);
        char line[5000] = "";
        const bool said = fgets(line, sizeof line, stream) != nullptr;
        const int how = libc<int(FILE*)>("pclose")(stream);
        return ended(how) + (said ? " says " + escaped(line) : " is silent");
      });
  }
}

void remade(Table* table) {
  for (const int keep : {0, 1})
    table->path("daemon:" + std::to_string(keep), [=](const Argument& a) {
      return output_of([&] {
        const int out = dup(1), fd = open(a.path, O_WRONLY | O_CREAT | O_NONBLOCK, 0640);
        const int opening = errno;
        const int result = libc<int(int, int)>("daemon")(keep, keep);
        char where[5000] = "";
        if (!getcwd(where, sizeof where)) where[0] = '\0';
        dprintf(out, "%d in %s", result, where);
        if (fd >= 0 && write(fd, "daemon", 6) == 6) close(fd);
        _exit(fd < 0 ? opening : 0);
      });
    });
}

void libraries(Table* table) {
  for (const int flags : {RTLD_NOW, RTLD_LAZY | RTLD_NOLOAD})
    table->path("dlopen:" + std::to_string(flags), [=](const Argument& a) {
      const void* found = libc<void*(const char*, int)>("dlopen")(a.path, flags);
      return std::string(found ? "pointer" : "null");
    });
  table->path("dlerror", [](const Argument& a) {
    auto* error = libc<char*()>("dlerror");
    dlopen(a.path, RTLD_NOW);
    return text(error());
  });
  table->path("dlmopen", [](const Argument& a) {
    const void* found =
        libc<void*(Lmid_t, const char*, int)>("dlmopen")(LM_ID_BASE, a.path, RTLD_NOW);
    return std::string(found ? "pointer" : "null");
  });
}

}  // namespace

void add_programs(Table* table) {
  executed(table);
  with_actions(table);
  commands(table);
  remade(table);
  libraries(table);
}

}  // namespace calls
