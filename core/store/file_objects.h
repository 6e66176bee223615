// The objects of a file store, one at a time: the file, symbolic link or directory in its place, and
// its note. All functions return 0 or an errno.
//
// A PUT has two steps, so that those of many objects share their syncs: stage() writes under
// .wbshim/tmp, commit() moves what is on the disk by then into its place.
#pragma once

#include <memory>
#include <string>

#include "core/store/file_tree.h"
#include "core/store/store.h"
#include "core/util/fd.h"

namespace wbshim {

struct FilePut {
  std::shared_ptr<const Body> body;
  ObjectMeta meta;

  std::string temporary;  // its name in .wbshim/tmp, until renamed
  Fd file;                // open until the caller has synced it
  bool changed = false;   // the object is in its place, though perhaps without its note
};

class FileObjects {
 public:
  FileObjects();

  // Makes the directory when it is missing, or has been removed since.
  int open(const std::string& directory);

  int stage(const FileKey& key, FilePut& put);
  int commit(const FileKey& key, FilePut& put, std::string* etag);
  // Of a PUT that ends here: what it has left under .wbshim/tmp.
  void discard(const FilePut& put) const;
  int remove(const FileKey& key);
  // Fills in outcome (when Absent), ETag, generation and size; the content too when it is wanted.
  int look(const FileKey& key, bool with_content, StoreResult* result) const;

  // Everything that lies directly in a directory (a key with its '/', or no segment: the root), on one
  // page. ETags only where a note knows them.
  int list(const FileKey& directory, Listing* listing) const;

  // Directory entries that commit() and remove() have changed, onto the disk.
  int sync_directories() { return dirty_.sync(); }
  // What killed processes have left under .wbshim/tmp.
  void drop_stale_temporaries() const;

 private:
  int commit_directory(const FileKey& key, const FilePut& put, std::string* etag);
  int move_into_place(const FileKey& key, const FilePut& put, int parent) const;

  std::string temporary_prefix_;
  uint64_t counter_ = 0;
  FileTree tree_;
  DirtyDirectories dirty_;
};

}  // namespace wbshim
