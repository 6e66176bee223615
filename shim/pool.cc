#include "shim/pool.h"

namespace wbshim::pool {
namespace {

char room[24576];
char* next = room;

}  // namespace

const char* keep(Bytes head, Bytes tail) {
  size_t n = head.size + tail.size + 1;
  if (n > static_cast<size_t>(room + sizeof room - next)) return nullptr;
  char* at = next;
  if (head.size > 0) memcpy(at, head.data, head.size);
  if (tail.size > 0) memcpy(at + head.size, tail.data, tail.size);
  at[n - 1] = '\0';
  next += n;
  return at;
}

const char* keep(Bytes text) {
  return keep(text, {});
}

}  // namespace wbshim::pool
