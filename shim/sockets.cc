#include "shim/sockets.h"

#include <stddef.h>

#include "core/base/layout.h"
#include "shim/calls.h"

namespace wbshim {
namespace {

constexpr size_t kHead = offsetof(struct sockaddr_un, sun_path);
constexpr size_t kPathRoom = sizeof(sockaddr_un::sun_path) + 1;  // a full one has no NUL
constexpr char kByDescriptor[] = "/proc/self/fd/";

bool holds_a_path(const struct sockaddr* address, size_t size) {
  return size > kHead && pointers::readable(address, size) && address->sa_family == AF_UNIX &&
         reinterpret_cast<const struct sockaddr_un*>(address)->sun_path[0] != '\0';
}

void copy_path(char (&to)[kPathRoom], const struct sockaddr* address, size_t size) {
  size_t n = size - kHead < kPathRoom - 1 ? size - kHead : kPathRoom - 1;
  memcpy(to, reinterpret_cast<const struct sockaddr_un*>(address)->sun_path, n);
  to[n] = '\0';
}

// A bound name that stands for another: "/proc/self/fd/<n>/.wbshim-<slot>-<nonce>". The link of that
// slot says "<nonce>" and what the program calls the socket; a newer socket may have taken the slot.
constexpr char kStandIn[] = "/.wbshim-";
constexpr int kSlotDigits = 3, kNonceDigits = 8;

// The path of a slot's link, or of their directory.
bool add_slot(Text* to, Bytes slot) {
  to->add(Bytes(settings.staging, settings.staging_size)).add('/').add(layout::kSockets);
  if (slot.size > 0) to->add('/').add(slot);
  return to->ok();
}

bool keep_name(uint64_t random, const char* name) {
  char slot[kSlotDigits + 1], content[kNonceDigits + kPathRoom];
  Text number(slot), text(content);
  number.hex(random >> 32, kSlotDigits);
  text.hex(random, kNonceDigits).add(name);
  Scratch room;
  char* at = room.reserve(settings.staging_size + 64);
  Text link(at, at ? room.room() : 0);
  if (!at || !add_slot(&link, slot)) return false;
  sys::call(SYS_unlinkat, AT_FDCWD, sys::arg(at), 0);
  auto make = [&] { return sys::call(SYS_symlinkat, sys::arg(content), AT_FDCWD, sys::arg(at)); };
  long made = make();
  if (made != -ENOENT) return made == 0;
  link.truncate(link.size() - kSlotDigits - 1);
  sys::mkdirat(AT_FDCWD, at, 0700);
  link.add('/').add(slot);
  return make() == 0;
}

// What a program calls the socket that is bound to `path`. False: it is no such name, or forgotten.
bool kept_name(const char* path, Text* to) {
  const char* stand_in = strstr(path, kStandIn);
  if (!stand_in) return false;
  const char* slot = stand_in + sizeof kStandIn - 1;
  if (strlen(slot) != kSlotDigits + 1 + kNonceDigits || strchr(slot, '/')) return false;
  char content[kNonceDigits + kPathRoom];
  Scratch room;
  char* at = room.reserve(settings.staging_size + 64);
  Text link(at, at ? room.room() : 0);
  if (!at || !add_slot(&link, Bytes(slot, kSlotDigits))) return false;
  long n = sys::readlink(at, content, sizeof content - 1);
  if (n <= kNonceDigits || memcmp(content, slot + kSlotDigits + 1, kNonceDigits) != 0) return false;
  return to->add(Bytes(content + kNonceDigits, static_cast<size_t>(n) - kNonceDigits)).ok();
}

// Replaces a path of the tree by its virtual name.
void turn_back(struct sockaddr_un* address, socklen_t* size) {
  auto* given = reinterpret_cast<struct sockaddr*>(address);
  if (!holds_a_path(given, *size)) return;
  char path[kPathRoom], name[kPathRoom];
  copy_path(path, given, *size);
  Text virtual_name(name);
  if (strncmp(path, kByDescriptor, sizeof kByDescriptor - 1) == 0) {
    if (!kept_name(path, &virtual_name)) return;
  } else if (!paths::to_virtual(client::roots(), path, &virtual_name)) {
    return;
  }
  if (virtual_name.size() > sizeof address->sun_path) return;
  memset(address->sun_path, 0, sizeof address->sun_path);
  memcpy(address->sun_path, name, virtual_name.size());
  *size = static_cast<socklen_t>(kHead + virtual_name.size() + 1);
}

}  // namespace

MappedAddress::MappedAddress(const struct sockaddr* address, socklen_t size, bool binds)
    : address_(address), size_(size) {
  if (!settings.on || size > sizeof(struct sockaddr_un) || !holds_a_path(address, size)) return;
  char path[kPathRoom];
  copy_path(path, address, size);
  Mapped m(path);
  ok_ = m.ok();
  stats_ = m.is_stats();
  if (!ok_ || m.path() == path) return;
  to_.sun_family = AF_UNIX;
  Text direct(to_.sun_path);
  if (!direct.add(m.path()).ok()) ok_ = binds ? by_directory(m.path()) : by_descriptor(m.path());
  address_ = reinterpret_cast<struct sockaddr*>(&to_);
  size_ = static_cast<socklen_t>(kHead + strlen(to_.sun_path) + 1);
}

// The tree's name exceeds the 107 bytes that an address holds. A socket that is there is reached by
// its own descriptor.
bool MappedAddress::by_descriptor(const char* path) {
  held_ = sys::openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
  if (held_ < 0) {
    errno = -held_;
    return false;
  }
  Text name(to_.sun_path);
  return name.add(kByDescriptor).number(held_).ok();
}

// One that is to be made, by its directory's.
bool MappedAddress::by_directory(const char* path) {
  size_t n = strlen(path);
  char* parent = path_.reserve(n + 1);
  if (!parent) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(parent, path, n + 1);
  char* slash = strrchr(parent, '/');
  last_ = slash + 1;
  *slash = '\0';
  struct stat st {};
  held_ = sys::openat(AT_FDCWD, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int error = held_;
  // "dir/" is there, as are "." and "..".
  if (held_ >= 0) error = last_[0] ? sys::fstatat(held_, last_, &st, AT_SYMLINK_NOFOLLOW) : 0;
  if (held_ < 0 || error != -ENOENT) {
    errno = error == 0 ? EADDRINUSE : -error;
    return false;
  }
  return true;
}

MappedAddress::~MappedAddress() {
  if (held_ >= 0) sys::close(held_);
}

int MappedAddress::bind(int fd, const struct sockaddr* given, socklen_t size) {
  if (!last_) return NEXT(bind)(fd, address_, size_);
  char name[kPathRoom];
  copy_path(name, given, size);
  int saved = errno;
  uint64_t random = 0;
  sys::call(SYS_getrandom, sys::arg(&random), sizeof random, 0);
  Text address(to_.sun_path);
  address.add(kByDescriptor).number(held_);
  size_t directory = address.size() + 1;
  address.add(kStandIn).hex(random >> 32, kSlotDigits).add('-').hex(random, kNonceDigits);
  size_ = static_cast<socklen_t>(kHead + address.size() + 1);
  // Without its link the socket works, but is called by its stand-in.
  keep_name(random, name);
  int result = NEXT(bind)(fd, address_, size_);
  if (result != 0) return result;
  long renamed = sys::call(SYS_renameat2, held_, sys::arg(to_.sun_path + directory), held_,
                           sys::arg(last_), RENAME_NOREPLACE);
  if (renamed == 0) {
    errno = saved;
    return 0;
  }
  // Somebody was faster, or the name is one that no file may have.
  sys::call(SYS_unlinkat, held_, sys::arg(to_.sun_path + directory), 0);
  errno = renamed == -EEXIST ? EADDRINUSE : static_cast<int>(-renamed);
  return -1;
}

int bind_socket(int fd, const struct sockaddr* address, socklen_t size) {
  MappedAddress m(address, size, true);
  if (!m.ok()) return -1;
  if (m.is_stats()) {
    errno = EADDRINUSE;
    return -1;
  }
  return m.bind(fd, address, size);
}

ssize_t send_message(int fd, const struct msghdr* message, int flags) {
  if (!settings.on || !pointers::readable(message, sizeof *message) || !message->msg_name)
    return NEXT(sendmsg)(fd, message, flags);
  MappedAddress m(static_cast<const struct sockaddr*>(message->msg_name), message->msg_namelen);
  if (!m.ok()) return -1;
  struct msghdr to = *message;
  to.msg_name = const_cast<struct sockaddr*>(m.address());
  to.msg_namelen = m.size();
  return NEXT(sendmsg)(fd, &to, flags);
}

ssize_t receive_message(int fd, struct msghdr* message, int flags) {
  if (!settings.on || !pointers::writable(message, sizeof *message) || !message->msg_name ||
      !fits(static_cast<struct sockaddr*>(message->msg_name), &message->msg_namelen))
    return NEXT(recvmsg)(fd, message, flags);
  auto* to = static_cast<struct sockaddr*>(message->msg_name);
  socklen_t room = message->msg_namelen;
  ssize_t result = on_found_address(to, &room, [&](struct sockaddr* found, socklen_t* size) {
    message->msg_name = found;
    message->msg_namelen = *size;
    ssize_t n = NEXT(recvmsg)(fd, message, flags);
    *size = message->msg_namelen;
    return n;
  });
  message->msg_name = to;
  message->msg_namelen = room;
  return result;
}

void give_address(const struct sockaddr_storage& found, socklen_t found_size, struct sockaddr* to,
                  socklen_t* size) {
  struct sockaddr_storage address = found;
  turn_back(reinterpret_cast<struct sockaddr_un*>(&address), &found_size);
  socklen_t n = found_size < sizeof address ? found_size : socklen_t{sizeof address};
  memcpy(to, &address, *size < n ? *size : n);
  *size = found_size;
}

}  // namespace wbshim
