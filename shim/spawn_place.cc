#include "shim/spawn_place.h"

#include "shim/calls.h"

namespace wbshim {
namespace {

// glibc's own list, of which <spawn.h> shows the pointer alone; the same since 2.29.
struct Action {
  enum Kind : int { kClose, kDuplicate, kOpen, kChdir, kFchdir };
  Kind kind;
  union {
    const char* path;
    int fd;
  };
  long more[2];
};

const Action* list_of(const posix_spawn_file_actions_t* actions) {
  return reinterpret_cast<const Action*>(actions->__actions);
}

// Whether that is so: two known actions are looked at.
bool layout_holds() {
  static constinit std::atomic<int> known = 0;
  int now = known.load(std::memory_order_relaxed);
  if (now != 0) return now > 0;
  constexpr int kSome = 12345;
  posix_spawn_file_actions_t probe;
  posix_spawn_file_actions_init(&probe);
  bool holds = NEXT(posix_spawn_file_actions_addchdir_np)(&probe, "probe") == 0 &&
               posix_spawn_file_actions_addfchdir_np(&probe, kSome) == 0 && probe.__used == 2;
  if (holds) {
    const Action* list = list_of(&probe);
    holds = list[0].kind == Action::kChdir && list[1].kind == Action::kFchdir &&
            list[1].fd == kSome && strcmp(list[0].path, "probe") == 0;
  }
  posix_spawn_file_actions_destroy(&probe);
  known.store(holds ? 1 : -1, std::memory_order_relaxed);
  return holds;
}

}  // namespace

bool name_in_child(const posix_spawn_file_actions_t* actions, const char* path, Scratch* room) {
  if (!actions || actions->__used == 0 || path[0] == '/' || !layout_holds()) return false;
  char* at = room->reserve(8192);
  if (!at) return false;
  Text name(at, room->room());
  for (int i = 0; i < actions->__used; i++) {
    const Action& action = list_of(actions)[i];
    if (action.kind == Action::kFchdir) {
      name.clear();
      if (!descriptor_path(action.fd, &name)) return false;
    } else if (action.kind == Action::kChdir) {
      if (action.path[0] == '/')
        name.clear();
      else if (name.size() == 0 && !working_directory(&name))
        return false;
      else
        name.add('/');
      name.add(action.path);
    }
  }
  if (name.size() == 0 || !name.add('/').add(path).ok()) return false;
  // Under its virtual name, by which programs are known here.
  Scratch copy_room;
  char* copy = copy_room.reserve(8192);
  Text virtual_name(copy, copy ? copy_room.room() : 0);
  if (!copy || !paths::to_virtual(client::roots(), name.bytes(), &virtual_name)) return true;
  name.clear();
  return name.add(virtual_name.bytes()).ok();
}

}  // namespace wbshim
