// The directories below a file store's root, by descriptors only: no key leads out of the root, and
// no symbolic link in it is followed. All functions return 0 or an errno.
//
// Layout below the root:
//   <key>              the object: a plain file, or a symbolic link
//   <key>/             a directory, made for the objects in it, or as an object of its own
//   .wbshim/tmp/       files being written
//   .wbshim/notes/     what a plain file cannot hold of an object (file_notes.h)
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/store/file_notes.h"
#include "core/util/fd.h"
#include "core/util/result.h"

namespace wbshim {

inline constexpr char kDotDir[] = ".wbshim";

// A key cut at its slashes. Refused: empty keys and segments, "." and "..", NUL, and keys below
// .wbshim/, which is ours.
struct FileKey {
  static Result<FileKey> parse(const std::string& key);

  // The key of the directory that the first `depth` segments name, with its '/'.
  std::string directory_key(size_t depth) const;
  const std::string& name() const { return segments.back(); }
  size_t parent_depth() const { return segments.size() - 1; }

  std::string text;                   // the whole key
  std::vector<std::string> segments;  // at least one
  bool directory = false;             // the key ended with '/'
};

// Directories whose entries changed, to be written to the disk before anyone is told.
class DirtyDirectories {
 public:
  void add(int fd);
  int sync();  // and forgets them

 private:
  std::map<std::pair<dev_t, ino_t>, Fd> directories_;
};

class FileTree {
 public:
  // Makes root, its missing parents and .wbshim/.
  int open(const std::string& root);
  // False before open(), or when somebody has removed the directories meanwhile.
  bool alive() const;

  int temporary_directory() const { return temporary_.get(); }
  const FileNotes& notes() const { return notes_; }

  // The directory that the first `depth` segments name; ENOENT when there is none.
  int find_directory(const FileKey& key, size_t depth, Fd* out) const;
  // The same, made when missing; a file or symbolic link in the way is removed with its note (S3
  // holds `a` and `a/b` at once, a file system cannot: the newer one wins).
  int make_directory(const FileKey& key, size_t depth, DirtyDirectories& dirty, Fd* out) const;
  // Removes empty directories, from `depth` segments upwards, that are no objects themselves.
  void prune(const FileKey& key, size_t depth) const;

 private:
  Fd root_;
  Fd temporary_;
  FileNotes notes_;
};

}  // namespace wbshim
