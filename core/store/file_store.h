// file:///dir: an object is the plain file dir/<key>, a directory's key a directory, a link's a
// symbolic link. Permission bits and mtime are set on the file (owner bits that the store itself
// needs are kept, set-id bits are not); ETag (the content's SHA-256), generation, uid, gid and the
// exact mode stand in dir/.wbshim (file_notes.h).
//
// An object appears whole or not at all: written under .wbshim/tmp, synced, renamed. When an
// operation completes as Stored, file and directory entry are on the disk; the syncs of operations
// started together are shared. Work is done inside poll(), which blocks for that long.
//
// Where a file system cannot be S3: `a` gives way when `a/b` is put; putting `a` while the
// directory a/ holds objects is TryLater; deleting an object removes the directories it leaves
// empty, unless they were put themselves.
#pragma once

#include <memory>
#include <string>

#include "core/store/store.h"

namespace wbshim {

// Nothing is touched before the first request or probe(). directory: absolute.
std::unique_ptr<Store> make_file_store(const std::string& directory);

}  // namespace wbshim
