// One connection to Redis, for the library and the tools. The only user of hiredis: its formatter
// and reply reader; sockets are our own (hiredis writes with write(), which raises SIGPIPE in the
// host, keeps 16 KiB on the stack, and cuts Unix socket paths at 107 bytes).
//
// Thread safety: none; one owner at a time. Signal safety: the caller's matter (it allocates).
// No exceptions. What is done since connect() or the last within() is bounded as a whole, however
// slowly the bytes come in; a call that fails closes the connection.
#pragma once

#include <cstdint>

#include "core/base/script.h"
#include "core/base/span.h"

struct redisReply;
struct redisReader;

namespace wbshim {

// Where Redis listens, parsed from WBSHIM_REDIS_URL. Texts point into the object itself.
struct RedisAddress {
  enum class Kind { None, Unix, Tcp };
  Kind kind = Kind::None;
  char path_or_host[1024] = {};
  char user[128] = {};
  char password[256] = {};
  uint16_t port = 6379;
  uint32_t db = 0;

  // Returns nullptr, or what is wrong with the URL (a sentence without the URL itself: it may hold
  // a password).
  const char* parse(Bytes url);
};

// One reply, owned by the RedisLink until its next command. Default-constructed: no reply (see
// RedisLink::error).
class RedisReply {
 public:
  enum class Kind { None, Nil, Integer, Text, Simple, Error, Array };
  RedisReply() = default;
  explicit RedisReply(const redisReply* reply) : reply_(reply) {}

  Kind kind() const;
  explicit operator bool() const { return reply_ != nullptr; }
  bool is_error() const { return kind() == Kind::Error; }
  int64_t integer() const;  // 0 unless Integer
  Bytes text() const;       // of Text, Simple (a status such as OK) and Error; else empty
  size_t size() const;      // elements of an Array
  RedisReply operator[](size_t i) const;

 private:
  const redisReply* reply_ = nullptr;
};

// Turns a host name into a socket address. The library has none (name services load code into the
// host and are not signal-safe): there a host must be a number or "localhost". The tools set one at
// start, before any connection.
struct SocketAddress {
  alignas(8) char bytes[128];
  unsigned size = 0;
};
using RedisResolver = bool (*)(const char* host, uint16_t port, SocketAddress* to);
extern RedisResolver redis_resolver;

class RedisLink {
 public:
  // Of one command, EVALSHA's own three included: two items of publish.lua fit. Small, because it
  // is stack.
  static constexpr size_t kMaxArguments = 48;

  constexpr RedisLink() = default;
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;
  ~RedisLink() = default;  // close() is explicit: the library has no static destructors

  // Connects, authenticates, selects. False: error() says why; nothing is left open.
  // min_fd: the descriptor is moved to this number or above (the library stays out of its host's
  // way); 0: as it comes.
  bool connect(const RedisAddress& address, int timeout_ms, int min_fd = 0);
  bool connected() const { return fd_ >= 0; }

  // The same without ever waiting: begin(), then advance() whenever the descriptor is ready for
  // what it waits for. It is Ready when Redis has answered the probe, a command, without an error:
  // accepting a connection is the kernel's doing, also for a Redis that hangs.
  enum class Step { Failed, Pending, Ready };
  Step begin(const RedisAddress& address, const Bytes* probe, size_t argc);
  Step advance();
  bool wants_to_write() const { return opening_ == Opening::Connecting; }

  // From now on, all together is to take at most so many ms.
  void within(int ms);
  void close();
  // Forgets the connection without closing the descriptor: it is not ours any more (after fork, or
  // squatted).
  void abandon();

  int fd() const { return fd_; }

  // Answers are read through that room, so much at a time, instead of a little on the stack.
  void read_through(char* room, size_t size) { room_ = room, room_size_ = size; }

  // Sends one command, waits for its reply. No reply (false): the connection failed and is closed.
  RedisReply command(const Bytes* argv, size_t argc);
  template <size_t N>
  RedisReply command(const Bytes (&argv)[N]) {
    return command(argv, N);
  }

  // EVALSHA, and EVAL when Redis does not know the script yet. argv: the keys, then the arguments.
  RedisReply eval(const Script& script, const Bytes* argv, size_t argc, size_t keys);

  // Pipelining: append commands, then send(), then one receive() per command, in order.
  bool append(const Bytes* argv, size_t argc);
  bool append_eval(const Script& script, const Bytes* argv, size_t argc,
                   size_t keys);  // EVALSHA: load it before
  bool send();
  RedisReply receive();

  // Why the last call failed: a sentence, valid until the next call. Never holds a password.
  const char* error() const { return error_; }

 private:
  enum class Opening : uint8_t { No, Connecting, Greeting };

  static redisReader* make_reader();  // one that refuses what no Redis of ours would say
  bool fail(const char* what);
  bool handshake(const RedisAddress& address);
  void drop_reply();
  bool feed(const char* data, size_t n);
  bool set_timeout(int ms);
  bool arm();
  bool append_greeting(const RedisAddress& address, const Bytes* probe, size_t argc);
  Step take_greeting();
  bool greeted(RedisReply reply);

  int fd_ = -1;
  redisReader* reader_ = nullptr;
  redisReply* reply_ = nullptr;
  char* out_ = nullptr;
  size_t out_size_ = 0;
  size_t out_room_ = 0;
  char* room_ = nullptr;
  size_t room_size_ = 0;
  const char* error_ = "";
  uint64_t deadline_ms_ = 0;  // CLOCK_BOOTTIME
  int limit_ms_ = 0;          // 0: as the socket has it
  int applied_ms_ = 0;        // to the socket
  unsigned waits_ = 0;        // since within()
  Opening opening_ = Opening::No;
  unsigned expected_ = 0;   // answers of the greeting still to come
  char refusal_[160] = {};  // the error that ended it
};

}  // namespace wbshim
