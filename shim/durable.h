// WBSHIM_DURABILITY: what must be on the staging disk before a call of the program returns.
//
//   none    nothing: an acknowledged change survives the death of any process, not of the machine
//   local   the file's bytes, then its name, then (not on disk, but told after both) its record
//   remote  as local; close() and fclose() return when the object is stored
//
// What a program itself asks for is kept in every tier: fsync() and its kin on a file under the
// prefix return when bytes and name are on disk. All functions are signal-safe, make raw system
// calls only, allocate nothing, and keep errno.
#pragma once

#include <sys/stat.h>

#include "core/base/options.h"
#include "shim/publish.h"

namespace wbshim::durable {

// The tier in force: the stronger of this process' setting and the volume's (set by its uploader).
Durability tier();

// The bytes of an open file, and its name on file systems where that needs a call of its own.
// False: they are not on disk (the caller reports EIO where it can).
bool settle_file(int fd);

// The name alone, after a sync of the program's own.
void settle_name(int fd);

// What has been appended to the journal so far.
void settle_journal();

// Everything that the changes name, before Redis hears of them: bytes and attributes of what
// exists, and the directories that hold the names. Nothing in tier none. Failures are logged: the
// call of the program that they belong to has succeeded already.
void settle(const Change* changes, size_t count);

}  // namespace wbshim::durable
