// What a file store keeps of an object beside the file itself: its ETag, generation and owner. One
// small text file an object, .wbshim/notes/<2 hex digits>/<62 hex digits> of the key's SHA-256:
//
//   wbshim-note 1
//   key <the key, control bytes, spaces, '%' and DEL as %XX>
//   file <inode> <size> <mtime, ns>      the file it speaks of; another one there: the note is void
//   etag <sha256 of the content>
//   gen <generation>
//   mode <st_mode, decimal> uid <uid> gid <gid>
//
// A note may be lost at a power failure (it is not synced): the object then has generation 0, and
// its ETag is computed anew.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/store/store.h"
#include "core/util/fd.h"

namespace wbshim {

struct FileNote {
  // Is it about this file? A directory's size and time change with its entries: only the inode
  // counts.
  bool describes(const struct stat& st) const;
  void describe(const struct stat& st);

  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  std::string etag;
  ObjectMeta meta;
};

class FileNotes {
 public:
  FileNotes() = default;
  explicit FileNotes(Fd directory) : directory_(std::move(directory)) {}

  int directory() const { return directory_.get(); }
  // Replaces the note of that key at once; 0 or an errno.
  int write(const std::string& key, const FileNote& note) const;
  // Nothing: there is none, or it is damaged.
  std::optional<FileNote> read(const std::string& key) const;
  void erase(const std::string& key) const;

 private:
  Fd directory_;
};

}  // namespace wbshim
