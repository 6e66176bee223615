// From the delay queue into the store: due -> nobody writes -> CLAIM -> read -> PUT -> FINISH
// (PROTOCOL.md 2). Oldest first, up to max_uploads at once. Half as many wait inside the store behind
// them while it is well: no connection idles while Redis is told of what ended and asked for what
// follows, and both go there in batches. Nothing here waits: step() does what can be done now,
// completions come from Store::poll.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/util/rate_limit.h"
#include "tools/uploader/content.h"
#include "tools/uploader/context.h"
#include "tools/uploader/large_uploads.h"

namespace wbshim {

// How one try at a path ended.
struct UploadEvent {
  enum class Kind {
    Stored,      // in the generation that is recorded
    Superseded,  // stored, but the record is newer by now: it stays queued
    Nothing,     // nothing to do: gone, another client's, or stored already
    Writing,     // somebody writes; postponed
    Later,       // changed while it was read, or somebody sends this key; postponed
    Failed,      // not stored, tried again after a pause
    Dead,        // not stored, and a person must mend it
  };
  std::string path;
  Kind kind = Kind::Nothing;
  std::string message;  // of Failed and Dead
  std::string etag;     // of Stored and Superseded
  unsigned attempts = 0;
};

struct Flight {
  std::string path;
  std::string key;
  uint64_t generation = 0;
  uint64_t size = 0;
  uint64_t since_ms = 0;    // first unsaved close, by Redis' clock
  uint64_t started_ms = 0;  // Clock::now_ms()
  uint64_t due_ms = 0;      // its place in the queue, by Redis' clock; 0: not known
  bool early = false;       // before it was due, for the sake of room
  bool large = false;       // it goes in parts
};

class Uploads {
 public:
  // So long may an end wait for others, to be told to Redis together with them.
  static constexpr uint64_t kReportMs = 5;

  explicit Uploads(Context& context)
      : context_(context), pace_(context.config.upload_limit()), large_(context) {}

  // Everybody who wants to know.
  std::function<void(const UploadEvent&)> on_event;

  // Whether a deletion of that key is under way.
  std::function<bool(const std::string& key)> deleting;

  // The next one to be taken, due or not; it must be in the queue.
  void hurry(const std::string& path) { hurried_.push_back(path); }
  // The queue has news: look at it in the next step.
  void kick() { look_at_ms_ = 0; }
  // Reports what has ended, and takes new paths: `room` requests may go at once.
  void step(size_t room);
  // Failures so far count no more: the next one is a first one.
  void forget_attempts() { attempts_.clear(); }
  // When step() is worth calling again without news, Clock::now_ms().
  uint64_t next_ms() const;

  // What had to wait because the store failed takes the place in the queue again that it had. blocked:
  // also what was called a dead letter meanwhile.
  void store_is_back(bool blocked);
  // So many bytes are to be stored before they are due, oldest first, the ones in flight included;
  // 0: none. What has failed, or is being written, keeps its time.
  void set_early(uint64_t bytes);

  // false: WBSHIM_UPLOAD_HOURS are over. Then only what is hurried goes, and what makes room.
  void set_open(bool open);
  bool open() const { return open_; }

  // Forgets about files open for writing that are no longer queued.
  void forget_closed();
  // Those that go in parts. Each counts as one here, whatever is under way for it.
  LargeUploads& large() { return large_; }
  // An end is near: they are gone on with by the next start.
  void put_off_large();
  // The end: requests whose answer has not come may still arrive, and Redis is told so.
  void give_up();

  size_t in_flight() const { return flights_.size() + ended_.size(); }
  uint64_t bytes_in_flight() const { return bytes_in_flight_; }
  const std::unordered_map<std::string, Flight>& flights() const { return flights_; }
  // Due time of the earliest path in the queue, by Redis' clock, as of the last look; nothing: the
  // queue is empty.
  std::optional<uint64_t> earliest_due() const { return earliest_due_; }
  bool looked() const { return looked_; }
  // A request for it is under way, or its end is still to be told to Redis.
  bool sending(const std::string& path) const;
  // Paths that were due and open for writing, and since when (Clock::now_ms()).
  const std::map<std::string, uint64_t>& writing() const { return writing_; }
  // Object keys whose deletion must come first: a file where now is a directory (PROTOCOL.md 2.9).
  std::unordered_set<std::string>& wanted_deletes() { return wanted_deletes_; }

 private:
  struct Ended {
    Flight flight;
    StoreResult result;
  };
  // Requests that may be under way; beyond at_once only while all of them are small.
  struct Room {
    size_t at_once, most;
    bool taken_up(size_t requests, uint64_t bytes) const;
  };
  void report();
  void refill();
  void hold_back_below_files(std::vector<std::string>& paths);
  std::vector<std::string> choose(const Room& room);
  bool may_go_early(const std::string& path) const;
  void take_early(const std::string& path, uint64_t size);
  Content look_before_claim(const std::string& path);
  void publish(const std::string& path);
  void missing(const std::string& path, const Claim& claim);
  void send(const std::string& path, const Claim& claim);
  bool readable(const std::string& path, const Claim& claim, const Content& content);
  Flight& begin_flight(const std::string& path, const Claim& claim, uint64_t size);
  void put(const std::string& path, const Claim& claim, Content content);
  void send_in_parts(const std::string& path, const Claim& claim);
  void end_flight(const std::string& path, StoreResult result);
  bool forget_flight(const std::string& path);
  void put_off(const std::string& path, const Claim& claim, LargeUpload::End why);
  uint64_t bytes_held() const;
  void give_back(const std::string& path, const Claim& claim, Ending ending, uint64_t retry);
  Finish plan(const Ended& ended);
  void put_back_aside();
  void set_aside(const Flight& flight, bool dead);
  void settle_event(const Ended& ended, const Finish& plan, Finished answer);
  void event(const std::string& path, UploadEvent::Kind kind, const std::string& message = {},
             const std::string& etag = {});
  void fail_locally(const std::string& path, const Claim& claim, const std::string& error_class,
                    const std::string& message);

  Context& context_;
  std::deque<std::string> hurried_;
  std::deque<QueueEntry> ready_;
  uint64_t look_at_ms_ = 0;
  bool looked_ = false;
  bool blocked_ = false;  // no room until a request ends
  bool open_ = true;
  // WBSHIM_UPLOAD_LIMIT, by whole files: the store keeps it byte by byte where it can. What is claimed
  // is dated, and must not wait for minutes.
  RateLimit pace_;
  uint64_t pace_at_ms_ = 0;    // nothing is taken up before
  uint64_t report_at_ms_ = 0;  // Redis is told of ended_ by then
  bool deletes_waiting_ = false;
  std::optional<uint64_t> earliest_due_;
  std::unordered_map<std::string, Flight> flights_;
  std::vector<Ended> ended_;
  uint64_t bytes_in_flight_ = 0;
  uint64_t large_bytes_ = 0;  // of these, of files that go in parts
  LargeUploads large_;
  std::unordered_map<std::string, unsigned> attempts_;  // failing paths only
  struct Aside {
    uint64_t due_ms;  // its place before it was put off
    bool dead;
  };
  std::unordered_map<std::string, Aside> aside_;
  std::unordered_map<std::string, uint64_t> taken_due_ms_;  // between choose() and put()
  bool back_ = false, back_blocked_ = false;
  std::map<std::string, uint64_t> writing_;
  std::unordered_set<std::string> wanted_deletes_;
  uint64_t early_bytes_ = 0;  // as set_early() said, less what has been stored since
  uint64_t early_left_ = 0;   // of these, not yet taken up
  std::unordered_map<std::string, uint64_t>
      early_taken_;  // when, so that none is tried all the time
};

}  // namespace wbshim
