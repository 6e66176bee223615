#include "shim/meta_link.h"

#include <errno.h>
#include <linux/futex.h>

#include "core/base/breaker.h"
#include "core/base/layout.h"
#include "core/base/sys.h"
#include "shim/arena.h"
#include "shim/client.h"
#include "shim/publish.h"

namespace wbshim {
namespace {

constinit RedisLink link;
constinit RedisAddress parsed;
constinit uint64_t link_inode = 0;
constinit std::atomic<int> link_pid = 0;  // process whose memory this connection lives in

// 0 free, 1 held, 2 held and waited for. holder: the address of the holding thread's own variable,
// to know re-entry by a signal.
constinit std::atomic<int> word = 0;
constinit std::atomic<const void*> holder = nullptr;
constinit thread_local char this_thread = 0;

bool lock() {
  if (word.load() != 0 && holder.load() == &this_thread) return false;
  int free = 0;
  if (word.compare_exchange_strong(free, 1)) return true;
  uint64_t give_up = sys::clock_ms(CLOCK_MONOTONIC) + 3 * Breaker::kPatienceMs;
  while (word.exchange(2) != 0) {
    if (sys::clock_ms(CLOCK_MONOTONIC) > give_up) return false;
    struct timespec limit = {0, 10000000};
    sys::call(SYS_futex, sys::arg(&word), FUTEX_WAIT_PRIVATE, 2, sys::arg(&limit));
  }
  return true;
}

void unlock() {
  holder.store(nullptr);
  if (word.exchange(0) == 2) sys::call(SYS_futex, sys::arg(&word), FUTEX_WAKE_PRIVATE, 1);
}

// In fork's child: the connection, its heap and the lock are copies of the parent's, taken at any
// moment. Forget them whole.
void start_over(int pid) {
  int fd = link.fd();
  struct stat st {};
  if (fd >= 0 && sys::fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == link_inode)
    sys::close(fd);
  arena::reset();
  memset(static_cast<void*>(&link), 0, sizeof link);
  new (&link) RedisLink();
  word.store(0);
  holder.store(nullptr);
  link_pid.store(pid);
}

bool still_ours() {
  struct stat st {};
  return link.connected() && sys::fstat(link.fd(), &st) == 0 && S_ISSOCK(st.st_mode) &&
         st.st_ino == link_inode;
}

uint64_t now_ms() {
  return sys::clock_ms(CLOCK_BOOTTIME);
}

void failed(Breaker::Why why) {
  client::page().add(Counter::RedisErrors);
  Breaker(client::page()).failed(why, now_ms());
}

// Where Redis listens: parsed on the first connection, few processes need it.
const RedisAddress& address() {
  if (parsed.kind != RedisAddress::Kind::None) return parsed;
  if (settings.redis_url[0]) {
    if (const char* wrong = parsed.parse(settings.redis_url))
      client::log(0, "WBSHIM_REDIS_URL is not usable", wrong);
  } else {
    Text socket(parsed.path_or_host);
    if (socket.add(settings.staging).add('/').add(layout::kRedisSocket).ok())
      parsed.kind = RedisAddress::Kind::Unix;
  }
  return parsed;
}

bool connect(int budget_ms) {
  uint64_t before = now_ms();
  if (link.connect(address(), budget_ms, client::high_descriptor())) {
    struct stat st {};
    link_inode = sys::fstat(link.fd(), &st) == 0 ? st.st_ino : 0;
    return true;
  }
  client::log(1, "Redis is away; changes go to the journal", link.error());
  bool waited = now_ms() - before >= static_cast<uint64_t>(budget_ms) / 2;
  failed(waited ? Breaker::Why::Silent : Breaker::Why::Absent);
  return false;
}

}  // namespace

MetaLink::MetaLink() {
  int pid = sys::getpid();
  int known = link_pid.load();
  if (known != pid) {
    // One thread starts over, marked by the negative pid; the others, or a signal's handler
    // meanwhile, use the journal.
    if (known == -pid || !link_pid.compare_exchange_strong(known, -pid)) return;
    start_over(pid);
  }
  Breaker breaker(client::page());
  Breaker::Leave leave = breaker.open() ? breaker.ask(now_ms()) : Breaker::Leave::Yes;
  if (leave == Breaker::Leave::No || !lock()) return;
  if (leave == Breaker::Leave::Yes && breaker.open()) {  // while we waited for the lock
    unlock();
    return;
  }
  if (leave == Breaker::Leave::Probe) budget_ms_ = Breaker::kQuickMs;
  holder.store(&this_thread);
  if (!still_ours()) {
    link.connected() ? link.abandon() : link.close();
    uint64_t before = now_ms();
    if (!connect(budget_ms_)) {
      unlock();
      return;
    }
    spent(now_ms() - before);
  }
  held_ = true;
}

void MetaLink::spent(uint64_t ms) {
  // A moment is left for what has begun: no time-out of 0, which means none.
  budget_ms_ = static_cast<int>(ms) < budget_ms_ ? budget_ms_ - static_cast<int>(ms) : 1;
  waited_ms_ += ms;
}

MetaLink::~MetaLink() {
  if (held_) unlock();
}

RedisReply MetaLink::eval(const Script& script, const Bytes* argv, size_t argc, size_t keys) {
  uint64_t before = now_ms();
  link.within(budget_ms_);
  RedisReply reply = link.eval(script, argv, argc, keys);
  uint64_t took = now_ms() - before;
  if (!reply && took < static_cast<uint64_t>(budget_ms_) / 2) {
    // It went away between two calls, perhaps only to restart: one more try on a new connection.
    // Repeating is harmless.
    spent(took);
    if (!connect(budget_ms_)) return {};
    reply = link.eval(script, argv, argc, keys);
    took = now_ms() - before;
  }
  spent(took);
  if (!reply) {
    client::log(1, "Redis does not answer; changes go to the journal", link.error());
    failed(Breaker::Why::Silent);
  } else if (reply.is_error()) {
    client::log(1, "Redis refused; changes go to the journal", reply.text());
    failed(Breaker::Why::Refuses);
  } else {
    Breaker(client::page()).answered(waited_ms_, before + took);
  }
  waited_ms_ = 0;
  return reply;
}

}  // namespace wbshim
