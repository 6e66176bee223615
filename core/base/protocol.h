// The uploader's Unix socket (layout::kSocket), spoken by the library and by shim-ctl.
//
// A request is one message ended by a NUL byte:  VERB [SP argument]…  A path is always the last
// argument, taken as it is (any byte but NUL), relative to the prefix, without a leading slash. The
// answer is lines ended by '\n'; the last one starts with "OK" or "ERR ". In ERR the next word is
// an errno name (EIO, EBUSY, …), then a sentence for people. Paths inside an answer are
// JSON-escaped strings in quotes. A connection serves one request after another. Requests are
// answered in order.
//
//   PING                  OK <version> <pid>
//   WAKE                  OK            the journal or the queue has news
//   STATS                 OK            layout::kStats has just been rewritten
//   STATUS                <one line of JSON>, then OK
//   UPLOAD <path>         OK <etag>     that path is stored, in the generation now recorded
//                         ERR EIO …     it could not be stored; it stays queued
//                         ERR EBUSY …   somebody still has it open for writing
//   RELIEVE <path>        as UPLOAD, for the sake of room: one try, and none of a store that is away
//   ROOM <ms>             OK            files may be opened for writing
//                         ERR EAGAIN …  not within that time, or no room is on its way
//   SPACE <n|quota> <ms>  OK           n bytes are free, or room has just been made: try again
//                         ERR ENOSPC …  none can be made, and nobody made any within that time
//   FLUSH <timeout_ms|0>  P <entries_done> <entries_total> <bytes_done> <bytes_total>
//                                       at least once a second
//                         LEFT <reason> "<path>"
//                                       once per entry that could not be stored; "unreadable":
//                                       a place of the tree that could not be looked into
//                         OK | ERR EIO … | ERR ETIMEDOUT …
//   RETRY                 OK            dead letters were made due: their failures count anew
//   SCAN                  OK            a whole comparison of tree and Redis, begun after the request, is
//                                       done
//                         ERR EIO …     a place of the tree could not be looked into
//   STOP                  OK            then it finishes or gives back what it holds, and exits
#pragma once

namespace wbshim::protocol {

inline constexpr char kPing[] = "PING";
inline constexpr char kWake[] = "WAKE";
inline constexpr char kStats[] = "STATS";
inline constexpr char kStatus[] = "STATUS";
inline constexpr char kUpload[] = "UPLOAD";
inline constexpr char kRelieve[] = "RELIEVE";
inline constexpr char kRoom[] = "ROOM";
inline constexpr char kSpace[] = "SPACE";
inline constexpr char kFlush[] = "FLUSH";
inline constexpr char kRetry[] = "RETRY";
inline constexpr char kScan[] = "SCAN";
inline constexpr char kStop[] = "STOP";

// Longest request, with its NUL: a verb, a number and a path of PATH_MAX.
inline constexpr unsigned kMaxRequest = 4096 + 64;

}  // namespace wbshim::protocol
