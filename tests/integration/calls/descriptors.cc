// Every way to end or double a descriptor that was opened by the path and written to.
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

int open_and_write(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_APPEND, 0600);
  if (fd >= 0 && write(fd, "end", 3) < 0) _exit(97);
  return fd;
}

void on(Table* table, const std::string& name, const std::function<std::string(int)>& call) {
  table->path(name, [=](const Argument& a) {
    const int fd = open_and_write(a.path);
    if (fd < 0) return status(fd);
    const std::string said = call(fd);
    return said + (fcntl(fd, F_GETFD) < 0 ? " ended" : " open " + status(close(fd)));
  });
}

void ended_by(Table* table) {
  for (const char* name : {"close", "__close"})
    on(table, name, [=](int fd) {
      return status(libc<int(int)>(name)(fd)) + " " + status(libc<int(int)>(name)(fd));
    });
  on(table, "close_range", [](int fd) {
    const auto number = static_cast<unsigned>(fd);
    return status(libc<int(unsigned, unsigned, int)>("close_range")(number, number, 0)) +
           status(libc<int(unsigned, unsigned, int)>("close_range")(number, number - 1, 0));
  });
  on(table, "closefrom", [](int fd) {
    libc<void(int)>("closefrom")(fd);
    return std::string("void");
  });
  for (const char* name : {"dup2", "__dup2"})
    on(table, name, [=](int fd) {
      return status(libc<int(int, int)>(name)(0, fd) == fd ? 0 : -1) +
             status(libc<int(int, int)>(name)(-1, fd));
    });
  on(table, "dup3", [](int fd) {
    return status(libc<int(int, int, int)>("dup3")(0, fd, O_CLOEXEC) == fd ? 0 : -1) +
           status(libc<int(int, int, int)>("dup3")(fd, fd, 0));
  });
}

void doubled_by(Table* table) {
  const auto both = [](int fd, int other) {
    if (other < 0) return status(other);
    const std::string said = process_link("fd/" + std::to_string(other)) + " " + status(close(fd));
    if (write(other, "+", 1) != 1) return said + " " + status(-1);
    return said + " " + status(close(other));
  };
  on(table, "dup", [=](int fd) { return both(fd, libc<int(int)>("dup")(fd)); });
  for (const char* name : {"fcntl", "fcntl64", "__fcntl"})
    for (const int command : {F_DUPFD, F_DUPFD_CLOEXEC})
      on(table, std::string(name) + ":" + std::to_string(command),
         [=](int fd) { return both(fd, libc<int(int, int, ...)>(name)(fd, command, 50)); });
  on(table, "fcntl:setfd",
     [](int fd) { return status(libc<int(int, int, ...)>("fcntl")(fd, F_SETFD, FD_CLOEXEC)); });
}

void ended_with_the_process(Table* table) {
  for (const char* name : {"_exit", "_Exit", "quick_exit", "exit"})
    table->path(name, [=](const Argument& a) {
      return output_of([&] {
        const int fd = open_and_write(a.path);
        libc<void(int)>(name)(fd < 0 ? errno : 3);
      });
    });
  table->path("syscall:exit_group", [](const Argument& a) {
    return output_of([&] {
      const int fd = open_and_write(a.path);
      libc<long(long, ...)>("syscall")(SYS_exit_group, fd < 0 ? errno : 3);
    });
  });
}

void by_number(Table* table) {
  auto* call = libc<long(long, ...)>("syscall");
  on(table, "syscall:close", [=](int fd) { return status(call(SYS_close, fd)); });
  on(table, "syscall:close_range",
     [=](int fd) { return status(call(SYS_close_range, fd, fd, 0)); });
  on(table, "syscall:dup",
     [=](int fd) { return status(close(static_cast<int>(call(SYS_dup, fd)))); });
#ifdef SYS_dup2
  on(table, "syscall:dup2", [=](int fd) { return status(call(SYS_dup2, 0, fd) == fd ? 0 : -1); });
#endif
  on(table, "syscall:dup3",
     [=](int fd) { return status(call(SYS_dup3, 0, fd, 0) == fd ? 0 : -1); });
  on(table, "syscall:fcntl",
     [=](int fd) { return status(close(static_cast<int>(call(SYS_fcntl, fd, F_DUPFD, 40)))); });
}

}  // namespace

void add_descriptors(Table* table) {
  ended_by(table);
  doubled_by(table);
  ended_with_the_process(table);
  by_number(table);
}

}  // namespace calls
