// The journal: any bytes are taken apart without harm, to their end; what is written comes back.
#include "core/base/journal.h"

#include <memory>

#include "core/base/crc32c.h"
#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

namespace {

bool same(const journal::Line& a, const journal::Line& b) {
  return a.kind == b.kind && a.base == b.base && a.path == b.path;
}

void write_and_read(const journal::Line& line, size_t size) {
  const std::unique_ptr<char[]> room(new char[size]);
  const size_t n = journal::encode(line, room.get(), size);
  if (n == 0) {
    demand(size < line.path.size + 64, "what has room is written");
    return;
  }
  demand(n <= size && room[n - 1] == '\0', "a line ends with its NUL, within its room");
  Bytes rest(room.get(), n);
  journal::Line back;
  demand(journal::decode(&rest, &back) == journal::Next::Line, "a written line can be read");
  demand(rest.size == 0 && same(line, back), "and is the same");
}

void read_all(Bytes rest) {
  for (;;) {
    journal::Line line;
    const size_t before = rest.size;
    const journal::Next next = journal::decode(&rest, &line);
    if (next == journal::Next::End) {
      demand(rest.size == before, "the end takes nothing");
      demand(before == 0 || memchr(rest.data, '\0', rest.size) == nullptr,
             "only a torn line is left");
      return;
    }
    demand(rest.size < before, "every step takes something");
    if (next == journal::Next::Line) write_and_read(line, line.path.size + 64);
  }
}

// A line whose length and checksum are right, whatever its payload says: chance would not find them.
std::string framed(const std::string& payload) {
  char head[32];
  (void)snprintf(head, sizeof head, "W1%04zx%08x ", payload.size() & 0xffff,
                 crc32c(Bytes(payload.data(), payload.size())));
  return head + payload + '\0';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const uint8_t choice = input.byte();
  if (choice % 3 == 0) {
    const std::string text = input.rest();
    read_all(Bytes(text.data(), text.size()));
  } else if (choice % 3 == 1) {
    std::string lines;
    while (!input.empty()) lines += framed(input.until('\0'));
    read_all(Bytes(lines.data(), lines.size()));
  } else {
    constexpr journal::Kind kKinds[] = {journal::Kind::Changed, journal::Kind::Removed,
                                        journal::Kind::Moved, journal::Kind::Held,
                                        journal::Kind::Tree};
    journal::Line line;
    line.kind = kKinds[input.byte() % std::size(kKinds)];
    line.base = input.number();
    const size_t size_of_room = 1 + input.byte();
    const std::string path = input.until('\0');
    line.path = Bytes(path.data(), path.size());
    write_and_read(line, size_of_room);
    write_and_read(line, path.size() + 64);
  }
  return 0;
}
