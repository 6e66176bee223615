#include "shim/drop.h"

#include <errno.h>

#include "core/base/fault.h"
#include "core/base/sys.h"
#include "shim/client.h"
#include "shim/durable.h"
#include "shim/mapped.h"
#include "shim/publish.h"
#include "shim/room.h"
#include "shim/uploader_call.h"

namespace wbshim {
namespace {

uint64_t changed_at(const struct stat& st) {
  return static_cast<uint64_t>(st.st_ctim.tv_sec) * 1000000000u +
         static_cast<uint64_t>(st.st_ctim.tv_nsec);
}

// Whether the tree's name `rel` still is this open file.
bool still_named(Bytes rel, const struct stat& st, Scratch* room) {
  char* at = room->reserve(settings.tree_size + rel.size + 2);
  if (!at) return false;
  Text name(at, room->room());
  name.add(Bytes(settings.tree, settings.tree_size)).add('/').add(rel);
  struct stat now {};
  return name.ok() && sys::lstat(at, &now) == 0 && now.st_ino == st.st_ino &&
         now.st_dev == st.st_dev;
}

// What the kernel calls the descriptor, if that is in the tree.
bool kernel_name(int fd, Scratch* room, Bytes* rel) {
  bool named = false;
  for (size_t size : {size_t{1}, size_t{8192}}) {
    char* at = room->reserve(size);
    if (!at) return false;
    Text name(at, room->room());
    if ((named = descriptor_path(fd, &name))) break;
  }
  if (!named) {
    client::lost("a descriptor without a name");
    return false;
  }
  Bytes below = paths::below(client::roots().tree, room->text());
  if (!below.data || below.size < 2) return false;
  *rel = Bytes(below.data + 1, below.size - 1);
  return true;
}

// The name under which an open, possibly written descriptor is to be published. False: none (not a
// file, unlinked, elsewhere).
bool name_of(int fd, const descriptors::Dropped& known, struct stat* st, Scratch* room,
             Bytes* rel) {
  if (sys::fstat(fd, st) != 0 || !S_ISREG(st->st_mode) || st->st_nlink == 0) return false;
  if (known.baseline != 0 && known.baseline == changed_at(*st)) return false;
  Bytes remembered(known.path, known.path_size);
  if (remembered.size > 0) {
    bool unmoved = known.moves == client::page().moves.load(std::memory_order_relaxed);
    if (unmoved || still_named(remembered, *st, room)) {
      char* at = room->reserve(remembered.size + 1);
      memcpy(at, remembered.data, remembered.size);
      at[remembered.size] = '\0';
      *rel = Bytes(at, remembered.size);
      return true;
    }
  }
  return client::activate() && kernel_name(fd, room, rel);
}

}  // namespace

Drop::Drop(int fd) {
  int saved = errno;
  descriptors::Dropped known;
  descriptors::dropped(fd, &known);
  struct stat st {};
  if (known.publish && name_of(fd, known, &st, &room_, &rel_)) {
    publish_ = true;
    if (durable::tier() != Durability::None) settled_ = durable::settle_file(fd);
    through_ = room::to_store(static_cast<uint64_t>(st.st_size));
    over_limit_ = settings.max_size > 0 && static_cast<uint64_t>(st.st_size) > settings.max_size;
  }
  // What a child on its parent's memory opened is not counted.
  if (known.publish && !known.borrowed) room::closed();
  errno = saved;
}

int Drop::finish(bool explicit_close) {
  if (!publish_) return 0;
  bool relieves = through_ != room::Cause::None;
  publish({Act::Changed, rel_, over_limit_ || relieves, true});
  if (!explicit_close) return 0;
  int saved = errno;
  bool remote = durable::tier() == Durability::Remote;
  int result = 0;
  if (!settled_) {
    client::complain(rel_, "the staging disk did not take it", "it is staged, and may not survive");
    result = EIO;
  }
  if (over_limit_ || remote) {
    int stored = uploader_call::write_through(rel_, remote);
    if (stored != 0) result = stored;
  } else if (relieves) {
    room::store(rel_, through_);
  }
  errno = saved;
  return result;
}

void sweep() {
  auto drop_noted = [](int fd, void*) {
    Drop drop(fd);
    drop.finish(false);
  };
  borrowed::each(drop_noted, nullptr);
  if (!descriptors::any_writing() || client::borrowed_memory()) return;
  WBSHIM_FAULT(Sweep);
  int saved = errno;
  descriptors::each_writing(
      [](int fd, const descriptors::Slot*, void*) {
        Drop drop(fd);
        drop.finish(false);
      },
      nullptr);
  errno = saved;
}

}  // namespace wbshim
