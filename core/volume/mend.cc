#include "core/volume/mend.h"

#include <sys/stat.h>

#include <vector>

#include "core/base/record.h"
#include "core/util/bytes.h"
#include "core/util/log.h"
#include "scripts.h"

namespace wbshim {
namespace {

const char* word(Mend::Act act) {
  constexpr const char* kWords[] = {"stored",  "again",  "queue", "lost",
                                    "restore", "delete", "forget"};
  return kWords[static_cast<int>(act)];
}

mode_t type_bits(char type) {
  return type == 'd' ? S_IFDIR : type == 'l' ? S_IFLNK : S_IFREG;
}

// A record's tail, as the library would write it for such a file.
std::string tail_of(const Mend& change) {
  struct stat st = {};
  st.st_mode = type_bits(change.type) | (change.mode & 07777);
  st.st_uid = change.uid;
  st.st_gid = change.gid;
  st.st_size = static_cast<off_t>(change.size);
  constexpr int64_t kSecond = 1'000'000'000;
  st.st_mtim.tv_nsec = static_cast<long>((change.mtime_ns % kSecond + kSecond) % kSecond);
  st.st_mtim.tv_sec = (change.mtime_ns - st.st_mtim.tv_nsec) / kSecond;
  std::vector<char> room(512 + change.target.size() * 6);
  Text text(room.data(), room.size());
  record::put_tail(text, st, Bytes(kRestoredBoot, sizeof kRestoredBoot - 1), bytes(change.target));
  return std::string(text.c_str(), text.size());
}

}  // namespace

Mended mend(Redis& redis, const Volume& volume, const Mend& change) {
  const std::string& path = change.path;
  // An inode that no file has: whatever appears under this name is a change.
  const std::string id =
      "0." + std::to_string(change.size) + "." + std::to_string(change.mtime_ns) + ".0";
  const Reply reply = redis.run(
      {{volume.dir(parent_of(path)), volume.due(), volume.object(), volume.del(), volume.meta(),
        volume.dead(), volume.client, path, name_of(path), object_key(path, change.type),
        word(change.act), std::to_string(change.generation), change.etag,
        std::to_string(change.object_generation), std::string(1, change.type), id, tail_of(change)},
       &scripts::mend,
       6});
  if (reply.error()) log_error("Redis refused a script: " + reply.text);
  if (reply.kind != Reply::Kind::Integer) return Mended::Away;
  return reply.integer == 1 ? Mended::Done : Mended::Changed;
}

}  // namespace wbshim
