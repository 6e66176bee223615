// Names inside a staging directory, and the fixed numbers that library and tools must agree on.
// Every path here is relative to the staging directory. The directory itself is mode 0700.
#pragma once

namespace wbshim::layout {

inline constexpr char kTree[] = "tree";           // the staged files, under their own names
inline constexpr char kJournalDir[] = "journal";  // see journal.h
inline constexpr char kJournal[] = "journal/current";
inline constexpr char kRunDir[] = "run";
inline constexpr char kSocket[] = "run/uploader.sock";  // protocol.h
inline constexpr char kPid[] = "run/uploader.pid";
inline constexpr char kLock[] = "run/uploader.lock";  // flock: one uploader per staging directory
inline constexpr char kTreeId[] =
    "run/tree";  // device and inode of tree/ when it was last looked after
inline constexpr char kShared[] = "run/shared";  // shared_page.h
inline constexpr char kSockets[] =
    "run/sockets";  // links: what programs call sockets whose address had no room for the tree's name
inline constexpr char kStats[] = "run/stats";    // the virtual file <prefix>/.stats
inline constexpr char kClientId[] = "client";    // this client's random id, 16 hex digits
inline constexpr char kEpoch[] = "epoch";        // the volume epoch this tree belongs to
inline constexpr char kUploaded[] = "uploaded";  // index: ino, ctime -> generation, ETag
inline constexpr char kQuarantine[] = "quarantine";
inline constexpr char kRedisSocket[] = "run/redis.sock";  // private redis-server
inline constexpr char kRedisPid[] = "run/redis.pid";
inline constexpr char kRedisDir[] = "redis";  // its append-only file
inline constexpr char kStore[] = "store";     // default file:// store
inline constexpr char kLog[] = "run/uploader.log";

// Name of the virtual statistics file, directly under the prefix.
inline constexpr char kStatsName[] = ".stats";

// The uploader's readiness pipe: it writes one line, "ready" or "error: …", to this descriptor.
inline constexpr int kReadyFd = 3;

}  // namespace wbshim::layout
