// A record as the tools read it from Redis; its grammar stands in core/base/record.h. Read only:
// records are written by the scripts, from texts that core/base/record.h makes.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wbshim {

enum class RecordState { Uploaded, Staged, Failed };

struct Record {
  uint64_t generation = 0;
  std::string owner;
  std::string id;   // core/base/record.h, put_id
  char type = 'f';  // f d l, x: tombstone
  char was = 'f';   // of a tombstone: what it stands for
  RecordState state = RecordState::Uploaded;
  uint64_t since_ms = 0;  // first unsaved close; 0 unless staged
  std::string etag;       // of the object; empty: never stored
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  uint32_t mode = 0;  // permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string boot;
  std::string target;  // of a symbolic link, as programs see it

  bool tombstone() const { return type == 'x'; }
  bool staged() const { return state == RecordState::Staged; }
};

// Nothing when the text is no record: damaged, of a later format, or hostile.
std::optional<Record> parse_record(std::string_view text);

// The id of what lstat saw.
std::string id_of(const struct stat& st);

// The ctime of what the record was made of, in ns; 0: its id tells none.
int64_t ctime_of(const Record& record);

// Whether the record describes just this: type and id.
bool matches(const Record& record, const struct stat& st);

}  // namespace wbshim
