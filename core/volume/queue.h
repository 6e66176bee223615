// The delay queue, the deletion queue and the settle list of a volume, over core/scripts/*.lua. One
// call is one pipeline. When Redis does not answer, the result says so, and whether it was done is
// unknown; every step may be repeated.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/util/clock.h"
#include "core/volume/record.h"
#include "core/volume/redis.h"
#include "core/volume/volume.h"

namespace wbshim {

// Which list: paths to upload, object keys to delete, object keys to look at.
enum class List { Due, Del, Settle };

struct QueueEntry {
  std::string member;
  uint64_t due_ms = 0;  // by Redis' clock
};

struct Claim {
  enum class Answer { Away, Taken, Gone, Foreign, Done, Busy };
  Answer answer = Answer::Away;
  std::optional<Record> record;  // none when taken: the record could not be read
  uint64_t generation = 0;
  uint64_t dated_ms = 0;  // the request's date, by Redis' clock
};

struct DeleteClaim {
  enum class Answer { Away, Taken, Wanted, Busy };
  Answer answer = Answer::Away;
  uint64_t generation = 0;
  uint64_t dated_ms = 0;
};

enum class Ending { Ok, Fail, Release, Unknown };

struct Finish {
  std::string path;
  std::string key;
  uint64_t generation = 0;
  Ending ending = Ending::Fail;
  std::string etag;
  uint64_t retry_ms = 0;  // unless Ok: when it is tried again, from now; or kKeepPlace
};
// It stays where it is in the queue: its turn comes as soon as anybody's does.
inline constexpr uint64_t kKeepPlace = UINT64_MAX;

// What a finish found: the script's answer, or Away.
enum class Finished { Away, Lost, NotDone, Done };

enum class Settled { Away, Right, Staged, Deleting, Postponed };

class Queue {
 public:
  Queue(Redis& redis, const Volume& volume, const Clock& clock)
      : redis_(redis), volume_(volume), clock_(clock) {}

  // The first `limit` of a list, earliest first, due or not. Nothing: Redis is away. Members that
  // can be no file's name are removed and not shown.
  std::optional<std::vector<QueueEntry>> first(List list, size_t limit);
  std::optional<std::vector<QueueEntry>> page(List list, size_t begin, size_t limit);
  std::optional<size_t> size(List list);
  // When each of them is due; nothing for one that is not listed. Away: an empty answer for a
  // question that was not.
  std::vector<std::optional<uint64_t>> due_times(List list,
                                                 const std::vector<std::string>& members);

  // What is listed below a path. It looks through the whole list.
  std::vector<std::string> below(List list, const std::string& path);

  // Redis' clock, from its last answer on.
  uint64_t now_ms() const { return clock_.now_ms() + offset_ms_; }

  // Moves what is listed to now + ms; what is not listed stays out.
  bool postpone(List list, const std::vector<std::string>& members, uint64_t ms);
  // Gives what is listed a due time of its own.
  bool put_back(List list, const std::vector<QueueEntry>& entries);

  // idle: as claim.lua says, for each path; the caller knows what it has under way.
  using Idle = std::function<bool(const std::string& member)>;
  std::vector<Claim> claim(const std::vector<std::string>& paths, const Idle& idle = {});
  std::vector<Finished> finish(const std::vector<Finish>& list);
  // The claim's new time (renew.lua). answer: Taken, Done (the record has changed since), Busy (no
  // longer ours) or Away.
  Claim renew(const std::string& path, const std::string& key, uint64_t generation);
  std::vector<DeleteClaim> claim_delete(const std::vector<std::string>& keys,
                                        const Idle& idle = {});
  std::vector<Finished> finish_delete(const std::vector<Finish>& list);
  // found: the ETag in the store, empty when there is no object.
  Settled settle(const std::string& key, const std::string& found);

  // The bytes of that generation are lost, or not to be trusted. True: the record says so now.
  bool fail(const std::string& path, uint64_t generation);

  // The records of paths; nothing for one that has none, is damaged, or when Redis is away (*away
  // tells).
  std::vector<std::optional<Record>> records(const std::vector<std::string>& paths, bool* away);

 private:
  std::string key(List list) const;
  bool names_a_file(List list, const std::string& member);

  Redis& redis_;
  const Volume& volume_;
  const Clock& clock_;
  uint64_t offset_ms_ = 0;
};

}  // namespace wbshim
