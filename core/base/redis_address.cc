#include "core/base/redis_link.h"

namespace wbshim {
namespace {

// Copies with %XX decoded; false when it does not fit or an escape is broken.
bool copy_decoded(Bytes from, char* to, size_t room) {
  size_t n = 0;
  auto hex = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return 16;
  };
  for (size_t i = 0; i < from.size; i++) {
    if (n + 1 >= room) return false;
    char c = from.data[i];
    if (c == '%') {
      if (i + 2 >= from.size) return false;
      unsigned high = hex(from.data[i + 1]), low = hex(from.data[i + 2]);
      if (high > 15 || low > 15) return false;
      c = static_cast<char>(high * 16 + low);
      if (c == '\0') return false;
      i += 2;
    }
    to[n++] = c;
  }
  to[n] = '\0';
  return true;
}

bool number(Bytes text, uint32_t limit, uint32_t* value) {
  if (text.size == 0 || text.size > 9) return false;
  *value = 0;
  for (size_t i = 0; i < text.size; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') return false;
    *value = *value * 10 + static_cast<uint32_t>(text.data[i] - '0');
  }
  return *value <= limit;
}

// Splits at the first (or last) `c`; false when there is none.
bool split(Bytes text, char c, bool last, Bytes* left, Bytes* right) {
  for (size_t k = 0; k < text.size; k++) {
    size_t i = last ? text.size - 1 - k : k;
    if (text.data[i] != c) continue;
    *left = Bytes(text.data, i);
    *right = Bytes(text.data + i + 1, text.size - i - 1);
    return true;
  }
  return false;
}

const char* parse_query(Bytes query, uint32_t* db) {
  if (!query.starts_with("db=")) return "only ?db=NUMBER is known after the path";
  return number(Bytes(query.data + 3, query.size - 3), 1u << 20, db)
             ? nullptr
             : "the database must be a number";
}

const char* parse_unix(RedisAddress* to, Bytes rest) {
  Bytes path = rest, query;
  if (split(rest, '?', false, &path, &query)) {
    if (const char* wrong = parse_query(query, &to->db)) return wrong;
  }
  if (path.size == 0 || path.data[0] != '/') return "unix:// wants an absolute path";
  if (!copy_decoded(path, to->path_or_host, sizeof to->path_or_host))
    return "the socket path is too long";
  to->kind = RedisAddress::Kind::Unix;
  return nullptr;
}

const char* parse_tcp(RedisAddress* to, Bytes rest) {
  Bytes place = rest, tail, credentials, left, right;
  if (split(rest, '/', false, &place, &tail) && tail.size > 0) {
    if (!number(tail, 1u << 20, &to->db)) return "the database must be a number";
  }
  if (split(place, '@', true, &credentials, &right)) {
    place = right;
    Bytes user, password = credentials;
    if (split(credentials, ':', false, &left, &right)) {
      user = left;
      password = right;
    }
    if (!copy_decoded(user, to->user, sizeof to->user) ||
        !copy_decoded(password, to->password, sizeof to->password)) {
      return "user or password is too long or wrongly escaped";
    }
  }
  Bytes host = place, port;
  if (place.size > 0 && place.data[0] == '[') {
    if (!split(Bytes(place.data + 1, place.size - 1), ']', false, &host, &port))
      return "a ']' is missing";
    if (port.size > 0 && port.data[0] != ':') return "what follows ']' must be :port";
    if (port.size > 0) port = Bytes(port.data + 1, port.size - 1);
  } else if (split(place, ':', true, &left, &right)) {
    host = left;
    port = right;
  }
  uint32_t value = 6379;
  if (port.size > 0 && (!number(port, 65535, &value) || value == 0))
    return "the port must be a number up to 65535";
  to->port = static_cast<uint16_t>(value);
  if (host.size == 0) return "the host is missing";
  if (!copy_decoded(host, to->path_or_host, sizeof to->path_or_host))
    return "the host name is too long";
  to->kind = RedisAddress::Kind::Tcp;
  return nullptr;
}

}  // namespace

const char* RedisAddress::parse(Bytes url) {
  *this = RedisAddress();
  const Bytes local("unix://"), tcp("redis://"), tls("rediss://");
  if (url.starts_with(local))
    return parse_unix(this, Bytes(url.data + local.size, url.size - local.size));
  if (url.starts_with(tcp)) return parse_tcp(this, Bytes(url.data + tcp.size, url.size - tcp.size));
  if (url.starts_with(tls))
    return "rediss:// needs a hiredis with TLS, which this build does not have";
  return "it must begin with redis:// or unix://";
}

}  // namespace wbshim
