// The rest of what takes a path.
#include <nl_types.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <unistd.h>
#include <utmp.h>
#include <utmpx.h>

#include "call.h"

namespace calls {
namespace {

void watches(Table* table) {
  for (const uint32_t mask : {uint32_t{IN_MODIFY}, uint32_t{IN_CREATE | IN_DONT_FOLLOW},
                              uint32_t{IN_DELETE | IN_ONLYDIR}})
    table->path("inotify_add_watch:" + std::to_string(mask), [=](const Argument& a) {
      const int fd = inotify_init1(IN_NONBLOCK);
      const std::string said =
          status(libc<int(int, const char*, uint32_t)>("inotify_add_watch")(fd, a.path, mask));
      return said + " " + status(close(fd));
    });
  table->at("fanotify_mark", [](const Argument& a) {
    const int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_NONBLOCK, 0);
    if (fd < 0) return "init " + status(fd);
    const std::string said = status(libc<int(int, unsigned, uint64_t, int, const char*)>(
        "fanotify_mark")(fd, FAN_MARK_ADD, FAN_MODIFY, a.dirfd, a.path));
    return said + " " + status(close(fd));
  });
}

void handles(Table* table) {
  for (const int flags : {0, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH})
    table->at("name_to_handle_at:" + std::to_string(flags), [=](const Argument& a) {
      struct file_handle handle {};
      int mount = 0;
      auto* call = libc<int(int, const char*, struct file_handle*, int*, int)>("name_to_handle_at");
      const std::string said = status(call(a.dirfd, a.path, &handle, &mount, flags));
      return said + " " + std::to_string(handle.handle_bytes);
    });
  table->path("ftok", [](const Argument& a) {
    return libc<key_t(const char*, int)>("ftok")(a.path, 1) == -1 ? status(-1) : std::string("key");
  });
  table->path("catopen", [](const Argument& a) {
    return libc<void*(const char*, int)>("catopen")(a.path, 0) == reinterpret_cast<void*>(-1)
               ? status(-1)
               : std::string("catalog");
  });
}

// The table of processes has given CAP_SYS_ADMIN up: the way to the refusal is what counts.
void administration(Table* table) {
  table->path("umount",
              [](const Argument& a) { return status(libc<int(const char*)>("umount")(a.path)); });
  table->path("umount2", [](const Argument& a) {
    return status(libc<int(const char*, int)>("umount2")(a.path, 0));
  });
  table->path("mount", [](const Argument& a) {
    return status(libc<int(const char*, const char*, const char*, unsigned long, const void*)>(
        "mount")("none", a.path, "none", 0, nullptr));
  });
}

void sessions(Table* table) {
  for (const char* name : {"utmpname", "utmpxname"})
    table->path(name,
                [=](const Argument& a) { return status(libc<int(const char*)>(name)(a.path)); });
  for (const char* name : {"updwtmp", "updwtmpx"})
    table->path(name, [=](const Argument& a) {
      struct utmpx entry {};
      entry.ut_type = USER_PROCESS;
      libc<void(const char*, const void*)>(name)(a.path, &entry);
      return std::string("void");
    });
}

void copied(Table* table) {
  for (const char* from : {"f", "../out/of"})
    table->path("copy_file_range:" + std::string(from), [=](const Argument& a) {
      const int source = open((places.root + "/" + from).c_str(), O_RDONLY);
      const int fd = open(a.path, O_WRONLY | O_CREAT | O_NONBLOCK, 0600);
      if (fd < 0) return status(fd);
      const std::string said = status(copy_file_range(source, nullptr, fd, nullptr, 1000, 0));
      return said + " " + status(close(source)) + " " + status(close(fd));
    });
}

}  // namespace

void add_others(Table* table) {
  watches(table);
  handles(table);
  administration(table);
  sessions(table);
  copied(table);
}

}  // namespace calls
