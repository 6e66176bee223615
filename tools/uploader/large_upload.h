// One object that goes into the store in parts (parts_store.h), from a file that may still be
// growing (PROTOCOL.md 7.2).
//
//   while a program writes   stream(): parts that it has left behind are sent ahead. Nobody has
//                            claimed anything yet, and nobody sees them.
//   after the last close     finish(), under a claim: every part is read and hashed; what is not in
//                            the store already, or has changed since, is sent. The file must be the
//                            same before and after that. Then the claim is renewed, and the last
//                            request is dated by its new time: so long as the parts may take, it
//                            cannot arrive later than any other's.
//
// What failed on the way keeps its parts: the next finish() goes on with them. Nothing here waits or
// sleeps; step() starts what may be started.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/store/parts_store.h"
#include "core/util/fd.h"
#include "tools/uploader/context.h"

namespace wbshim {

class LargeUpload : public std::enable_shared_from_this<LargeUpload> {
 public:
  enum class End {
    Answered,  // as result says
    Changed,   // the file changed meanwhile
    Lost,      // the claim is no longer ours, or nobody wants these bytes any more
  };
  struct Last {  // what finish() is to store
    Fd file;
    struct stat st = {};
    ObjectMeta meta;
    uint64_t generation = 0;
  };
  using Done = std::function<void(End end, StoreResult result)>;

  LargeUpload(Context& context, PartsStore& store, std::string path)
      : context_(context), store_(store), path_(std::move(path)) {}

  // An upload that was begun earlier, as the volume notes it: its parts are asked for first.
  void resume(const std::string& row);
  // The file is being written to and has so many bytes by now; again with every growth.
  void stream(Fd file, const struct stat& st, const ObjectMeta& meta);
  // It is not written to any more, and not finished yet: what has been sent is kept for that.
  void rest();
  void finish(Last last, Done done);
  // Nobody wants it any more. Not for one that is being finished.
  void drop() { dropped_ = true; }

  // Starts one request at most. True: and there is something for another one.
  bool step();

  const std::string& path() const { return path_; }
  bool finishing() const { return done_ != nullptr; }
  // The request that makes the object seen is under way.
  bool completing() const { return completing_; }
  // Nothing is under way or left to do for it; in the store there is nothing of it but the object.
  bool idle() const {
    return in_flight_ == 0 && upload_.id.empty() && !finishing() && (!streaming_ || dropped_);
  }
  bool dropped() const { return dropped_; }
  size_t in_flight() const { return in_flight_; }
  uint64_t part_size() const { return part_size_; }

 private:
  enum class State { Missing, Flying, There };
  struct Part {
    State state = State::Missing;
    std::string sha256_hex;  // empty: only the ETag is known
    std::string etag;
  };
  using Answer = void (LargeUpload::*)(const StoreResult&);

  // A request of which there is one at a time, and whose answer may come after our end.
  Store::Done mine(Answer answer);
  void begun(const StoreResult& result);
  void ask_for_parts();
  void parts_listed(const StoredParts& found);
  bool look_at_part(size_t index);
  void part_answered(size_t index, const std::string& id, StoreResult result);
  uint64_t parts_ready() const;
  bool at_the_end();
  void complete();
  void completed(const StoreResult& result);
  void looked_for(const StoreResult& result);
  void seen_complete(const StoreResult& result);
  void attributes_put(const StoreResult& result);
  void aborted(const StoreResult& result);
  void aborted_for_another(const StoreResult& result);
  void failed(const StoreResult& result);
  void begin_anew();
  void forget_upload();
  bool unfit() const;
  void read_from_the_start();
  void end(End how, StoreResult result = {});
  void note_row(bool there);
  std::string expected_etag() const;

  Context& context_;
  PartsStore& store_;
  std::string path_;  // and its object key
  PartsUpload upload_;
  uint64_t part_size_ = 0;
  std::string begun_with_;  // attributes, as text
  std::vector<Part> parts_;
  Fd file_;
  struct stat st_ = {};  // streaming: as last seen
  ObjectMeta meta_;
  uint64_t generation_ = 0;
  Done done_;  // null: streaming, or waiting for the next finish()
  bool streaming_ = false;
  size_t next_ = 0;             // part to look at
  bool reading_again_ = false;  // reduced mode: that everything is as it was read
  bool read_ = false;           // and the file was the same before and after
  bool asked_ = false;          // begin, list, complete, copy, head or abort is under way
  bool unknown_parts_ = false;  // resumed, and not asked for yet
  bool completing_ = false;
  bool maybe_completed_ = false;  // an earlier try was not answered
  bool dropped_ = false;
  bool abandoned_ = false;  // its parts are no good: aborted, and another one begun
  unsigned anew_ = 0;
  size_t in_flight_ = 0;
  uint64_t dated_ms_ = 0;
  uint64_t abort_at_ms_ = 0;
};

}  // namespace wbshim
