// Names in Redis and in the store. The grammar of every key stands here and nowhere else:
//   wbshim:{V}:dir:<path>       hash  name -> record (record.h)
//   wbshim:{V}:due:<client>     zset  path -> due time, ms
//   wbshim:{V}:del              zset  object key -> due time, ms
//   wbshim:{V}:object           hash  object key -> one or both halves of
//                                     {"busy":"client/instance/gen/ms","etag":"…","gen":…}
//   wbshim:{V}:settle           zset  object key -> when to look, ms
//   wbshim:{V}:parts            hash  <client>/<object key> -> <part size> <attributes> <upload id>,
//                                     of uploads in parts neither completed nor aborted
//   wbshim:{V}:dead:<client>    hash  path -> JSON {class,message,attempts,time}
//   wbshim:{V}:client:<client>  hash  host, pid, instance, heartbeat, pending_files, …
//   wbshim:{V}:meta             hash  format, epoch, client, gen, …
// <path> is relative to the prefix, without a leading slash; the root is the empty path. The braces
// make one Cluster slot. An object key is the path; a directory's ends with '/'. The store adds its
// own prefix and escapes (store.h).
#pragma once

#include "core/base/span.h"
#include "core/base/text.h"

namespace wbshim::keys {

inline constexpr char kFormat[] = "1";  // meta.format

// Appends "wbshim:{V}:" and what follows. The text tells (ok()) when its room did not suffice.
inline void put(Text& to, Bytes volume, Bytes what, Bytes suffix = {}) {
  to.add("wbshim:{").add(volume).add("}:").add(what).add(suffix);
}

// Splits "a/b/c" into "a/b" and "c"; "c" into "" and "c".
inline void split(Bytes path, Bytes* dir, Bytes* name) {
  size_t i = path.size;
  while (i > 0 && path.data[i - 1] != '/') i--;
  *name = Bytes(path.data + i, path.size - i);
  *dir = Bytes(path.data, i > 0 ? i - 1 : 0);
}

}  // namespace wbshim::keys
