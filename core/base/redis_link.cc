#include "core/base/redis_link.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <sys/time.h>

#include "core/base/fault.h"
#include "core/base/redis_socket.h"
#include "core/base/sys.h"
#include "core/base/text.h"

namespace wbshim {

constinit RedisResolver redis_resolver = nullptr;

namespace {}  // namespace

// ---- replies

RedisReply::Kind RedisReply::kind() const {
  if (!reply_) return Kind::None;
  switch (reply_->type) {
    case REDIS_REPLY_STRING:
      return Kind::Text;
    case REDIS_REPLY_ARRAY:
      return Kind::Array;
    case REDIS_REPLY_INTEGER:
      return Kind::Integer;
    case REDIS_REPLY_NIL:
      return Kind::Nil;
    case REDIS_REPLY_STATUS:
      return Kind::Simple;
    default:
      return Kind::Error;
  }
}

int64_t RedisReply::integer() const {
  return kind() == Kind::Integer ? reply_->integer : 0;
}

Bytes RedisReply::text() const {
  Kind k = kind();
  if (k != Kind::Text && k != Kind::Simple && k != Kind::Error) return {};
  return Bytes(reply_->str, static_cast<size_t>(reply_->len));
}

size_t RedisReply::size() const {
  return kind() == Kind::Array ? static_cast<size_t>(reply_->elements) : 0;
}

RedisReply RedisReply::operator[](size_t i) const {
  return i < size() ? RedisReply(reply_->element[i]) : RedisReply();
}

// ---- reading

namespace {

// The reader makes room for an array as soon as its length is told. A volume's largest is a
// directory of some million files; a server that says more is none of ours.
constexpr auto kMostElements = 1 << 23;
constexpr size_t kLongestReply = size_t{1} << 30;

constinit const redisReplyObjectFunctions* plain_functions = nullptr;
constinit redisReplyObjectFunctions bounded_functions = {};

template <typename Count>  // int, or in later versions size_t
void* create_array(const redisReadTask* task, Count elements) {
  if (elements > static_cast<Count>(kMostElements)) return nullptr;
  return plain_functions->createArray(task, elements);
}

}  // namespace

redisReader* RedisLink::make_reader() {
  redisReader* reader = redisReaderCreate();
  if (!reader) return nullptr;
  if (!plain_functions) {
    bounded_functions = *reader->fn;
    plain_functions = reader->fn;
    bounded_functions.createArray = create_array;
  }
  reader->fn = &bounded_functions;
  return reader;
}

// ---- connecting

bool RedisLink::fail(const char* what) {
  error_ = what;
  close();
  return false;
}

bool RedisLink::connect(const RedisAddress& address, int timeout_ms, int min_fd) {
  close();
  within(timeout_ms);
  if (address.kind == RedisAddress::Kind::None) return fail("no address");
  int fd = redis_socket(address);
  if (fd < 0) return fail(redis_trouble(-fd));
  fd_ = fd;
  int there = 0;
  if (address.kind == RedisAddress::Kind::Tcp) {
    there = redis_socket_connected(fd, timeout_ms);
    waits_ = 1;
  }
  if (there == 0) there = redis_socket_block(fd);
  if (there < 0) return fail(redis_trouble(-there));
  if (min_fd > fd) {
    int high = sys::fcntl(fd, F_DUPFD_CLOEXEC, min_fd);
    if (high >= 0) {
      sys::close(fd);
      fd_ = high;
    }
  }
  if (!reader_) reader_ = make_reader();
  if (!reader_) return fail("out of memory");
  return set_timeout(timeout_ms) && handshake(address);
}

void RedisLink::within(int ms) {
  limit_ms_ = ms;
  deadline_ms_ = sys::clock_ms(CLOCK_BOOTTIME) + static_cast<uint64_t>(ms);
  waits_ = 0;
}

bool RedisLink::set_timeout(int ms) {
  if (ms == applied_ms_) return true;
  struct timeval limit = {ms / 1000, (ms % 1000) * 1000L};
  sys::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sys::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  applied_ms_ = ms;
  return true;
}

// Before each wait: the socket's time-out is what is left. The first one, mostly the only one, has
// all of it and needs no look at the clock.
bool RedisLink::arm() {
  if (limit_ms_ == 0) return true;
  if (waits_++ == 0) return set_timeout(limit_ms_);
  uint64_t now = sys::clock_ms(CLOCK_BOOTTIME);
  if (now >= deadline_ms_) return fail(redis_trouble(EAGAIN));
  return set_timeout(static_cast<int>(deadline_ms_ - now));
}

bool RedisLink::handshake(const RedisAddress& address) {
  if (address.password[0]) {
    const Bytes with_user[] = {"AUTH", address.user, address.password};
    const Bytes alone[] = {"AUTH", address.password};
    RedisReply reply = address.user[0] ? command(with_user) : command(alone);
    if (!reply) return false;
    if (reply.is_error()) return fail("user name or password refused");
  }
  if (address.db != 0) {
    char digits[16];
    Text db(digits);
    db.unsigned_number(address.db);
    const Bytes select[] = {"SELECT", db.bytes()};
    RedisReply reply = command(select);
    if (!reply) return false;
    if (reply.is_error()) {
      return fail(reply.text().starts_with("NOAUTH") ? "it asks for a password"
                                                     : "no such database");
    }
  }
  return true;
}

void RedisLink::close() {
  if (fd_ >= 0) sys::close(fd_);
  abandon();
}

void RedisLink::abandon() {
  fd_ = -1;
  applied_ms_ = 0;
  opening_ = Opening::No;
  drop_reply();
  if (reader_) redisReaderFree(reader_);
  reader_ = nullptr;
  if (out_) free(out_);
  out_ = nullptr;
  out_size_ = out_room_ = 0;
}

void RedisLink::drop_reply() {
  if (reply_) freeReplyObject(reply_);
  reply_ = nullptr;
}

// ---- connecting without waiting

bool RedisLink::append_greeting(const RedisAddress& address, const Bytes* probe, size_t argc) {
  expected_ = 0;
  if (address.password[0]) {
    const Bytes auth[] = {"AUTH", address.user, address.password};
    const Bytes alone[] = {"AUTH", address.password};
    bool named = address.user[0] != '\0';
    if (!append(named ? auth : alone, named ? 3 : 2)) return false;
    expected_++;
  }
  if (address.db != 0) {
    char digits[16];
    Text db(digits);
    db.unsigned_number(address.db);
    const Bytes select[] = {"SELECT", db.bytes()};
    if (!append(select, 2)) return false;
    expected_++;
  }
  expected_++;
  return append(probe, argc);
}

RedisLink::Step RedisLink::begin(const RedisAddress& address, const Bytes* probe, size_t argc) {
  close();
  limit_ms_ = 0;
  int fd = address.kind == RedisAddress::Kind::None ? -ENOENT : redis_socket(address);
  if (fd < 0) {
    fail(redis_trouble(-fd));
    return Step::Failed;
  }
  fd_ = fd;
  reader_ = make_reader();
  if (!reader_) fail("out of memory");
  if (!reader_ || !append_greeting(address, probe, argc)) return Step::Failed;
  opening_ = Opening::Connecting;
  return advance();
}

RedisLink::Step RedisLink::advance() {
  if (fd_ < 0) return Step::Failed;
  if (opening_ == Opening::No) return Step::Ready;
  if (opening_ == Opening::Connecting) {
    int there = redis_socket_connected(fd_, 0);
    if (there == -ETIMEDOUT) return Step::Pending;
    if (there < 0) fail(redis_trouble(-there));
    // A greeting is short: a new socket takes it at once.
    if (there < 0 || !send()) return Step::Failed;
    opening_ = Opening::Greeting;
  }
  return take_greeting();
}

RedisLink::Step RedisLink::take_greeting() {
  for (;;) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_, &reply) != REDIS_OK) {
      fail("it does not speak Redis' protocol");
      return Step::Failed;
    }
    if (reply) {
      drop_reply();
      reply_ = static_cast<redisReply*>(reply);
      if (!greeted(RedisReply(reply_))) return Step::Failed;
      if (--expected_ > 0) continue;
      drop_reply();
      int blocking = redis_socket_block(fd_);
      if (blocking < 0) fail(redis_trouble(-blocking));
      opening_ = Opening::No;
      return blocking < 0 ? Step::Failed : Step::Ready;
    }
    char room[1024] = {};
    long n = sys::recv(fd_, room, sizeof room);
    if (n == -EINTR) continue;
    if (n == -EAGAIN) return Step::Pending;
    if (n <= 0) fail(redis_trouble(n < 0 ? static_cast<int>(-n) : EPIPE));
    if (n <= 0 || !feed(room, static_cast<size_t>(n))) return Step::Failed;
  }
}

// An error ends the greeting, in Redis' own words.
bool RedisLink::greeted(RedisReply reply) {
  if (!reply.is_error()) return true;
  Bytes text = reply.text();
  Text kept(refusal_);
  kept.add(text.size < sizeof refusal_ ? text : Bytes(text.data, sizeof refusal_ - 1));
  return fail(refusal_);
}

// ---- talking

bool RedisLink::append(const Bytes* argv, size_t argc) {
  constexpr size_t kMost = kMaxArguments;
  if (argc > kMost) return fail("too many arguments");
  const char* texts[kMost];
  size_t sizes[kMost];
  for (size_t i = 0; i < argc; i++) {
    texts[i] = argv[i].data ? argv[i].data : "";
    sizes[i] = argv[i].size;
  }
  char* formatted = nullptr;
  int length = redisFormatCommandArgv(&formatted, static_cast<int>(argc), texts, sizes);
  if (length < 0) return fail("out of memory");
  size_t n = static_cast<size_t>(length);
  if (out_size_ == 0) {
    // The usual case, one command: its buffer is sent as it is.
    if (out_) free(out_);
    out_ = formatted;
    out_size_ = out_room_ = n;
    return true;
  }
  if (out_room_ - out_size_ < n) {
    size_t room = (out_size_ + n) * 2;
    char* bigger = static_cast<char*>(realloc(out_, room));
    if (!bigger) {
      free(formatted);
      return fail("out of memory");
    }
    out_ = bigger;
    out_room_ = room;
  }
  memcpy(out_ + out_size_, formatted, n);
  out_size_ += n;
  free(formatted);
  return true;
}

bool RedisLink::append_eval(const Script& script, const Bytes* argv, size_t argc, size_t keys) {
  constexpr size_t kMost = kMaxArguments - 3;
  if (argc > kMost) return fail("too many arguments");
  char digits[8];
  Text count(digits);
  count.unsigned_number(keys);
  Bytes all[kMost + 3];
  all[0] = "EVALSHA";
  all[1] = script.sha;
  all[2] = count.bytes();
  for (size_t i = 0; i < argc; i++) all[i + 3] = argv[i];
  return append(all, argc + 3);
}

bool RedisLink::send() {
  size_t sent = 0;
  while (sent < out_size_) {
    long n = sys::send(fd_, out_ + sent, out_size_ - sent);
    if (n == -EINTR) continue;
    if (n <= 0) return fail(redis_trouble(n < 0 ? static_cast<int>(-n) : EPIPE));
    sent += static_cast<size_t>(n);
    if (sent < out_size_ && !arm()) return false;
  }
  out_size_ = 0;
  return true;
}

bool RedisLink::feed(const char* data, size_t n) {
  return redisReaderFeed(reader_, data, n) == REDIS_OK || fail("out of memory");
}

RedisReply RedisLink::receive() {
  drop_reply();
  if (fd_ < 0) return {};
  for (size_t size = 0; size < kLongestReply;) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_, &reply) != REDIS_OK) {
      fail("it does not speak Redis' protocol");
      return {};
    }
    if (reply) {
      reply_ = static_cast<redisReply*>(reply);
      return RedisReply(reply_);
    }
    if (!arm()) return {};
    char little[1024];
    char* room = room_ ? room_ : little;
    long n = sys::recv(fd_, room, room_ ? room_size_ : sizeof little);
    if (n == -EINTR) continue;
    if (n <= 0) {
      fail(redis_trouble(n < 0 ? static_cast<int>(-n) : EPIPE));
      return {};
    }
    size += static_cast<size_t>(n);
    if (!feed(room, static_cast<size_t>(n))) return {};
  }
  fail("its answer has no end");
  return {};
}

RedisReply RedisLink::command(const Bytes* argv, size_t argc) {
  if (fd_ < 0) {
    error_ = "not connected";
    return {};
  }
  if (!append(argv, argc) || !send()) return {};
  return receive();
}

RedisReply RedisLink::eval(const Script& script, const Bytes* argv, size_t argc, size_t keys) {
  if (fd_ < 0) {
    error_ = "not connected";
    return {};
  }
  if (!append_eval(script, argv, argc, keys) || !send()) return {};
  WBSHIM_FAULT(PublishSent);
  RedisReply reply = receive();
  if (!reply.is_error() || !reply.text().starts_with("NOSCRIPT")) return reply;
  const Bytes load[] = {"SCRIPT", "LOAD", script.text};
  reply = command(load);
  if (!reply || reply.is_error()) return reply;
  if (!append_eval(script, argv, argc, keys) || !send()) return {};
  return receive();
}

}  // namespace wbshim
