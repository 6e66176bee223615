// Records: any text of Redis is read without harm, and what the library writes about a file comes
// back as it was.
#include "core/volume/record.h"

#include <memory>

#include "core/base/record.h"
#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

namespace {

void check_sound(const Record& record) {
  demand(record.generation > 0 && !record.owner.empty() && !record.id.empty(),
         "a record has generation, owner and id");
  demand(strchr("fdlx", record.type) != nullptr && record.type != '\0', "its type is known");
  demand(strchr("fdl", record.was) != nullptr && record.was != '\0', "what it was is known");
  demand((record.mode & ~07777u) == 0, "its mode is permission bits");
}

void read(const std::string& text) {
  const auto record = parse_record(text);
  if (!record) return;
  check_sound(*record);
  struct stat st = {};
  (void)matches(*record, st);
}

struct stat some_stat(fuzz::Input& input) {
  constexpr mode_t kTypes[] = {S_IFREG, S_IFDIR, S_IFLNK};
  // Nanoseconds since 1970 fit into the numbers of a record until 2262.
  constexpr int64_t kMostSeconds = 9223372035;
  struct stat st = {};
  st.st_mode = kTypes[input.byte() % std::size(kTypes)] | (input.number() & 07777);
  st.st_ino = input.number();
  st.st_size = static_cast<off_t>(input.number() >> 1);
  st.st_mtim.tv_sec = static_cast<int64_t>(input.number()) % kMostSeconds;
  st.st_mtim.tv_nsec = static_cast<long>(input.number() % 1000000000);
  st.st_ctim.tv_sec = static_cast<int64_t>(input.number()) % kMostSeconds;
  st.st_uid = static_cast<uid_t>(input.number());
  st.st_gid = static_cast<gid_t>(input.number());
  return st;
}

void write_and_read(fuzz::Input& input) {
  const struct stat st = some_stat(input);
  const size_t room = 1 + input.byte();
  const std::string target = input.rest();
  const Bytes bytes(target.data(), target.size());
  const std::unique_ptr<char[]> narrow(new char[room]);
  Text cut(narrow.get(), room);
  record::put_tail(cut, st, "bootboot", bytes);
  demand(cut.size() < room, "a text stays in its room");
  std::string wide(512 + target.size() * 6, '\0');
  Text tail(wide.data(), wide.size());
  record::put_tail(tail, st, "bootboot", bytes);
  demand(tail.ok(), "a tail fits into what the publisher gives it");
  demand(!cut.ok() || cut.bytes() == tail.bytes(), "a text that fits is whole");
  const std::string id = id_of(st);
  demand(id.size() < record::kMaxId, "an id fits");
  const char type = record::type_of(st.st_mode);
  const auto back =
      parse_record("{\"gen\":7,\"owner\":\"me\",\"id\":\"" + id + "\",\"t\":\"" + type +
                   "\",\"state\":\"staged\"" + std::string(tail.c_str(), tail.size()) + "}");
  demand(back.has_value(), "what the library writes can be read");
  check_sound(*back);
  demand(matches(*back, st), "it matches the file it was written of");
  demand(back->mode == (st.st_mode & 07777) && back->uid == st.st_uid && back->gid == st.st_gid,
         "mode and owners come back");
  demand(back->mtime_ns == int64_t{st.st_mtim.tv_sec} * 1000000000 + st.st_mtim.tv_nsec,
         "the time comes back");
  if (type == 'f') demand(back->size == static_cast<uint64_t>(st.st_size), "the size comes back");
  if (type == 'l')
    demand(back->target == target, "a link's target comes back, whatever bytes it has");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  if (input.byte() % 2 == 0) {
    read(input.rest());
  } else {
    write_and_read(input);
  }
  return 0;
}
