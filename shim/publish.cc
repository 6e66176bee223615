#include "shim/publish.h"

#include <errno.h>
#include <linux/openat2.h>
#include <sys/mman.h>

#include "core/base/fault.h"
#include "core/base/journal.h"
#include "core/base/keys.h"
#include "core/base/link_text.h"
#include "core/base/record.h"
#include "core/base/sys.h"
#include "scripts.h"
#include "shim/client.h"
#include "shim/durable.h"
#include "shim/meta_link.h"
#include "shim/room.h"

namespace wbshim {

constinit std::atomic<int> journal_fd = -1;

namespace {

constexpr size_t kMaxItems = 2;
constexpr int kMaxLooks =
    8;  // a file that changes this often under our eyes is left to the uploader

// One item while it is being published; static, guarded by the connection's lock (wrappers have no
// stack for it).
struct Item {
  Change change;
  bool exists = false;
  struct stat seen {};
  char kind[2] = {};
  char type[2] = {};
  char id[record::kMaxId] = {};
  char base[24] = {};
  char physical[5200] = {};
  char dir_key[4400] = {};
  char tail[9000] = {};
  char target[4200] = {},
       given[4500] = {};  // of a symbolic link: as the tree has it, as the program gave it
  Bytes name;
};
constinit Item items[kMaxItems];

struct Fixed {
  char due[160] = {}, del[112] = {}, object[112] = {}, meta[112] = {}, delay[24] = {},
       deadline[24] = {};
  bool ready = false;
};
constinit Fixed fixed;

void prepare_fixed() {
  if (fixed.ready) return;
  Bytes volume(settings.volume);
  Text due(fixed.due), del(fixed.del), object(fixed.object), meta(fixed.meta);
  keys::put(due, volume, "due:", client::id());
  keys::put(del, volume, "del");
  keys::put(object, volume, "object");
  keys::put(meta, volume, "meta");
  Text(fixed.delay).unsigned_number(settings.delay_ms);
  Text(fixed.deadline).unsigned_number(settings.deadline_ms);
  fixed.ready = true;
}

bool name_item(Item& item) {
  Text physical(item.physical), dir(item.dir_key);
  Bytes parent;
  keys::split(item.change.rel, &parent, &item.name);
  physical.add(Bytes(settings.tree, settings.tree_size)).add('/').add(item.change.rel);
  keys::put(dir, settings.volume, "dir:", parent);
  return physical.ok() && dir.ok();
}

// A link's target as the program gave it.
bool put_link_tail(Item& item, Text& tail) {
  long n = sys::readlink(item.physical, item.target, sizeof item.target);
  if (n < 0) return false;
  Bytes text(item.target, static_cast<size_t>(n));
  if (link_text::is_plain(client::link_roots(), text)) {
    record::put_tail(tail, item.seen, client::boot(), text);
    return true;
  }
  Text to(item.given);
  bool whole = link_text::show(client::link_roots(), text, &to);
  record::put_tail(tail, item.seen, client::boot(), to.bytes());
  return whole;
}

// lstat that does not go through symbolic links on its way: a name below a link is another name of a file that is recorded
// under its own. As long as the tree has no links, lstat is that.
bool see(const char* path, struct stat* st) {
  if (client::page().links.load(std::memory_order_relaxed) == 0) return sys::lstat(path, st) == 0;
  struct open_how how {};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  long fd = sys::call(SYS_openat2, AT_FDCWD, sys::arg(path), sys::arg(&how), sizeof how);
  if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) return false;
  if (fd < 0) return sys::lstat(path, st) == 0;
  bool seen = sys::fstat(static_cast<int>(fd), st) == 0;
  sys::close(static_cast<int>(fd));
  return seen;
}

// Looks at the tree. False: what it saw does not fit a record.
bool look(Item& item) {
  item.exists = see(item.physical, &item.seen);
  item.kind[0] = item.exists ? 'c' : item.change.act == Act::Changed ? 'v' : 'u';
  char t = item.exists ? record::type_of(item.seen.st_mode) : 'f';
  // A FIFO, socket or device is not recorded; what was recorded under its name is gone.
  bool recorded = item.exists && t != 0;
  if (!recorded && item.exists) item.kind[0] = 'u';
  item.type[0] = t != 0 ? t : 'f';
  Text id(item.id), tail(item.tail), base(item.base);
  base.unsigned_number(client::page().seen_gen.load(std::memory_order_relaxed));
  if (!recorded) return true;
  record::put_id(id, item.seen);
  if (t == 'l') {
    if (!put_link_tail(item, tail)) return false;
  } else {
    record::put_tail(tail, item.seen, client::boot(), {});
  }
  return tail.ok();
}

bool still_so(const Item& item) {
  struct stat now {};
  bool exists = see(item.physical, &now);
  return exists == item.exists && (!exists || record::same(now, item.seen));
}

void account(const Item& item, RedisReply reply, size_t at) {
  int64_t code = reply[at].integer(), gen = reply[at + 1].integer(),
          saved = reply[at + 2].integer();
  SharedPage& page = client::page();
  if (gen > 0) page.saw(static_cast<uint64_t>(gen));
  if (code == 1 || code == 2 || code == 3) page.add(Counter::Publishes);
  if ((code == 2 || code == 3) && saved >= 0 && item.change.act == Act::Removed) {
    page.add(Counter::SkippedDeleted);
    page.add(Counter::SkippedDeletedBytes, static_cast<uint64_t>(saved));
  }
}

// One script call for the items that are to be sent. False: Redis did not do it.
bool send(MetaLink& link, Item* const* sent, size_t count) {
  char seen[24];
  Text(seen).unsigned_number(client::page().seen_gen.load(std::memory_order_relaxed));
  Bytes argv[4 + kMaxItems + 5 + 8 * kMaxItems];
  size_t n = 0;
  argv[n++] = fixed.due;
  argv[n++] = fixed.del;
  argv[n++] = fixed.object;
  argv[n++] = fixed.meta;
  for (size_t i = 0; i < count; i++) argv[n++] = sent[i]->dir_key;
  size_t keys = n;
  argv[n++] = client::id();
  argv[n++] = fixed.delay;
  argv[n++] = fixed.deadline;
  argv[n++] = seen;
  argv[n++] = client::boot();
  for (size_t i = 0; i < count; i++) {
    const Item& item = *sent[i];
    bool at_once = item.change.at_once || durable::tier() == Durability::Remote;
    argv[n++] = item.kind;
    argv[n++] = item.change.rel;
    argv[n++] = item.name;
    argv[n++] = item.type;
    argv[n++] = item.id;
    argv[n++] = item.tail;
    argv[n++] = item.base;
    argv[n++] = at_once ? Bytes("1") : Bytes("");
  }
  RedisReply reply = link.eval(scripts::publish, argv, n, keys);
  if (reply.kind() != RedisReply::Kind::Array || reply.size() < 3 * count) return false;
  for (size_t i = 0; i < count; i++) account(*sent[i], reply, 3 * i);
  return true;
}

// The loop of PROTOCOL.md 1.1: look, tell, look again, until both looks agree.
bool publish_directly(const Change* changes, size_t count) {
  MetaLink link;
  if (!link.held()) return false;
  prepare_fixed();
  if (client::id().size == 0 || client::boot().size == 0) return false;
  for (size_t i = 0; i < count; i++) {
    items[i].change = changes[i];
    if (!name_item(items[i])) return false;
  }
  for (int looks = 0; looks < kMaxLooks; looks++) {
    Item* sent[kMaxItems];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
      if (looks > 0 && still_so(items[i])) continue;
      if (!look(items[i])) return false;
      sent[n++] = &items[i];
    }
    if (n == 0) WBSHIM_FAULT(PublishAgreed);
    if (n == 0) return true;
    if (looks > 0) client::page().add(Counter::PublishRetries);
    WBSHIM_FAULT(PublishLooked);
    if (!send(link, sent, n)) return false;
    WBSHIM_FAULT(PublishTold);
  }
  return false;
}

void journal_line(journal::Kind kind, Bytes rel) {
  journal::Line line;
  line.kind = kind;
  line.base = client::page().seen_gen.load(std::memory_order_relaxed);
  line.path = rel;
  SharedPage& page = client::page();
  std::atomic<int>* keep = client::borrowed_memory() ? nullptr : &journal_fd;
  auto append = [&] {
    return journal::append(client::journal_file(), line, keep, client::high_descriptor());
  };
  // It fails on a full disk, mostly.
  room::Again again;
  bool done = append() || (again.after(ENOSPC, journal::kMaxLine) && append());
  if (done) {
    // A file that is there tells of itself after a power loss; one that was removed does not.
    bool removal = kind == journal::Kind::Removed || kind == journal::Kind::Moved;
    if (removal && durable::tier() != Durability::None) durable::settle_journal();
    page.add(Counter::JournalLines);
    page.journal_lines.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  page.add(Counter::JournalFailures);
  client::lost(rel);
}

}  // namespace

namespace {

journal::Kind kind_of(Act act) {
  switch (act) {
    case Act::Changed:
      return journal::Kind::Changed;
    case Act::Removed:
      return journal::Kind::Removed;
    case Act::Moved:
      return journal::Kind::Moved;
  }
  return journal::Kind::Changed;
}

}  // namespace

void publish(const Change* changes, size_t count) {
  if (count == 0 || count > kMaxItems) return;
  int saved = errno;
  durable::settle(changes, count);
  client::page().alive_ms.store(sys::clock_ms(CLOCK_REALTIME), std::memory_order_relaxed);
  if (settings.batch || client::borrowed_memory() || !publish_directly(changes, count)) {
    for (size_t i = 0; i < count; i++) {
      journal_line(kind_of(changes[i].act), changes[i].rel);
    }
  }
  errno = saved;
}

void note_held(Bytes rel) {
  int saved = errno;
  journal_line(journal::Kind::Held, rel);
  errno = saved;
}

namespace {

struct DirEntry {  // linux_dirent64, see getdents(2)
  uint64_t ino;
  int64_t next;
  unsigned short size;
  unsigned char type;
  char name[1];
};

// Publishes every entry of the open directory under both names. fd: closed here; negative: -errno. The paths share one
// page-backed room per level.
void walk_moved(int fd, Bytes from, Bytes to) {
  if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) return;
  constexpr size_t kRoom = 65536, kNames = 16384;
  char* room =
      static_cast<char*>(sys::mmap(kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
  long n = fd < 0 || !room ? -1 : 0;
  char* entries = room + kNames;
  while (n >= 0 && (n = sys::getdents(fd, entries, kRoom - kNames)) > 0) {
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const DirEntry*>(entries + at);
      at += entry->size;
      Bytes name(entry->name);
      if (name == Bytes(".") || name == Bytes("..")) continue;
      Text old_name(room, kNames / 2), new_name(room + kNames / 2, kNames / 2);
      old_name.add(from).add('/').add(name);
      new_name.add(to).add('/').add(name);
      if (!old_name.ok() || !new_name.ok()) {
        client::lost(to);
        continue;
      }
      // The renamed directory's own name carries them.
      const Change both[] = {{Act::Moved, old_name.bytes(), false, true},
                             {Act::Changed, new_name.bytes(), false, true}};
      WBSHIM_FAULT(MovedEntry);
      publish(both, 2);
      WBSHIM_FAULT(MovedTold);
      if (entry->type == 4 /* DT_DIR */ || entry->type == 0) {
        int child = sys::openat(fd, entry->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        walk_moved(child, old_name.bytes(), new_name.bytes());
      }
    }
    if (n == 0) break;
  }
  if (fd >= 0) sys::close(fd);
  if (room) sys::munmap(room, kRoom);
  if (n < 0) {
    // No descriptor left, or no right to read it: the uploader walks both names.
    journal_line(journal::Kind::Tree, from);
    journal_line(journal::Kind::Tree, to);
  }
}

}  // namespace

void publish_exchanged(int one_dir, Bytes one, int other_dir, Bytes other) {
  int saved = errno;
  const Change both[] = {{Act::Changed, one}, {Act::Changed, other}};
  publish(both, 2);
  walk_moved(one_dir, one, other);
  walk_moved(other_dir, other, one);
  errno = saved;
}

void publish_moved_tree(int dir, Bytes from, Bytes to) {
  int saved = errno;
  const Change both[] = {{Act::Moved, from}, {Act::Changed, to}};
  publish(both, 2);
  WBSHIM_FAULT(MovedTop);
  walk_moved(dir, from, to);
  errno = saved;
}

}  // namespace wbshim
