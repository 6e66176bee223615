// A file's state as Redis keeps it. Written here by hand (the library has no JSON parser); tools
// read it with core/volume/record.h.
//   {"gen":G,"owner":"C","id":"ino.size.mtime_ns.ctime_ns"[,"t":"d"|"l"|"x"][,"state":"staged","since":MS][,"etag":"E"]
//    ,"size":N,"mtime_ns":N[,"mode":N][,"uid":N][,"gid":N],"boot":"xxxxxxxx"[,"target":"…"]}
// Defaults are left out: t f, state uploaded, mode 420 (0644; decimal permission bits), uid 0, gid
// 0. The script core/scripts/publish.lua writes everything up to the etag; Tail writes the rest,
// from ,"size" on. A tombstone is {"gen":G,"owner":"C","id":"…","t":"x","was":"f"[,"etag":"E"]}.
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "core/base/span.h"
#include "core/base/text.h"

namespace wbshim::record {

inline constexpr uint32_t kDefaultMode = 0644;
inline constexpr size_t kMaxId = 96;

// 'f', 'd', 'l'; 0 for what is never recorded (FIFOs, sockets, devices).
char type_of(mode_t mode);

// ino.size.mtime_ns.ctime_ns; of a directory ino.mode.0.0.
void put_id(Text& to, const struct stat& st);

// target: of a symbolic link, as the program sees it (virtual); else empty.
void put_tail(Text& to, const struct stat& st, Bytes boot, Bytes target);

// The same file in the same state: device, inode, size, mtime, ctime.
bool same(const struct stat& a, const struct stat& b);

}  // namespace wbshim::record
