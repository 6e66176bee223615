#include "shim/uploader_call.h"

#include <errno.h>
#include <sys/un.h>

#include "core/base/fault.h"
#include "core/base/layout.h"
#include "core/base/protocol.h"
#include "core/base/sys.h"
#include "shim/client.h"
#include "shim/scratch.h"

namespace wbshim::uploader_call {
namespace {

// The socket's path may exceed the 107 bytes of an address: go through a descriptor of the staging
// directory.
int connect_uploader(int timeout_s) {
  int dir = sys::openat(AT_FDCWD, settings.staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return dir;
  struct sockaddr_un to {};
  to.sun_family = AF_UNIX;
  Text name(to.sun_path);
  name.add("/proc/self/fd/").number(dir).add('/').add(layout::kSocket);
  int fd = sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
  struct timeval limit = {timeout_s, 0};
  if (fd >= 0) {
    sys::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sys::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int result = sys::connect(fd, &to, sizeof to);
    if (result < 0) {
      sys::close(fd);
      fd = result;
    }
  }
  sys::close(dir);
  return fd;
}

bool send_request(int fd, Bytes verb, Bytes path) {
  Scratch room;
  char* at = room.reserve(verb.size + path.size + 2);
  if (!at) return false;
  Text text(at, room.room());
  text.add(verb);
  if (path.size > 0) text.add(' ').add(path);
  size_t n = text.size() + 1;  // the NUL ends it
  return text.ok() && sys::send(fd, at, n) == static_cast<long>(n);
}

// The last line of the answer, without its line feed; empty when none came in time.
Bytes answer(int fd, char* room, size_t size) {
  size_t n = 0;
  while (n < size) {
    long got = sys::recv(fd, room + n, size - n);
    if (got == -EINTR) continue;
    if (got <= 0) return {};
    n += static_cast<size_t>(got);
    if (room[n - 1] == '\n') return Bytes(room, n - 1);
  }
  return Bytes(room, n);
}

}  // namespace

int write_through(Bytes rel, bool must_be_stored) {
  // The bound on one big upload: an hour; the uploader itself gives up on a store that stalls long
  // before.
  int fd = connect_uploader(3600);
  if (fd < 0 && must_be_stored) {
    client::page().add(Counter::WriteThroughFailures);
    client::complain(rel, "no uploader runs, and WBSHIM_DURABILITY is remote",
                     "the copy stays staged and queued (shim-ctl start)");
    return EIO;
  }
  if (fd < 0) {
    client::log(1, "no uploader: a file over WBSHIM_WRITEBACK_MAX_SIZE stays staged, due now", rel);
    return 0;
  }
  char room[512];
  WBSHIM_FAULT(ThroughConnected);
  bool sent = send_request(fd, protocol::kUpload, rel);
  WBSHIM_FAULT(ThroughSent);
  Bytes said = sent ? answer(fd, room, sizeof room) : Bytes();
  WBSHIM_FAULT(ThroughAnswered);
  sys::close(fd);
  client::page().add(Counter::WriteThrough);
  if (said.starts_with("OK") || said.starts_with("ERR EBUSY") || said.starts_with("ERR ENOENT"))
    return 0;
  client::page().add(Counter::WriteThroughFailures);
  client::log(0, "a file could not be stored before its close returned; it stays queued", rel);
  // "ERR EIO " is for the library; people get the sentence.
  const Bytes head("ERR EIO ");
  if (said.starts_with(head)) said = Bytes(said.data + head.size, said.size - head.size);
  client::complain(rel, said.size ? said : Bytes("the uploader does not answer"),
                   "the copy stays staged and queued (shim-ctl status)");
  return EIO;
}

namespace {

// One request and its answer, waited for so long.
Answer ask(Bytes verb, Bytes argument, int timeout_s) {
  int fd = connect_uploader(timeout_s);
  if (fd < 0) return Answer::Nobody;
  char room[512];
  Bytes said = send_request(fd, verb, argument) ? answer(fd, room, sizeof room) : Bytes();
  sys::close(fd);
  if (said.size == 0) return Answer::Nobody;
  return said.starts_with("OK") ? Answer::Yes : Answer::No;
}

}  // namespace

bool relieve(Bytes rel) {
  constexpr int kMostSeconds = 60;
  return ask(protocol::kRelieve, rel, kMostSeconds) == Answer::Yes;
}

void wait_for_room(uint64_t ms) {
  char text[24];
  Text argument(text);
  argument.unsigned_number(ms);
  ask(protocol::kRoom, argument.bytes(), static_cast<int>(ms / 1000) + 2);
}

Answer make_space(uint64_t bytes, uint64_t ms) {
  char text[48];
  Text argument(text);
  if (bytes == UINT64_MAX)
    argument.add("quota");
  else
    argument.unsigned_number(bytes);
  argument.add(' ').unsigned_number(ms);
  return ask(protocol::kSpace, argument.bytes(), static_cast<int>(ms / 1000) + 2);
}

void refresh_stats() {
  int fd = connect_uploader(1);
  if (fd < 0) return;
  char room[64];
  if (send_request(fd, protocol::kStats, {})) answer(fd, room, sizeof room);
  sys::close(fd);
}

}  // namespace wbshim::uploader_call
