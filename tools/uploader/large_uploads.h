// All objects that go in parts: those that are being finished, those whose parts are sent ahead while
// a program still writes, and what earlier tries and earlier runs have left.
//
// Few connections are theirs, whatever they have to send, so that small files go past them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tools/uploader/context.h"
#include "tools/uploader/large_upload.h"

namespace wbshim {

class LargeUploads {
 public:
  explicit LargeUploads(Context& context) : context_(context), store_(context.store.parts()) {}

  // Whether an object of that size goes in parts.
  bool takes(uint64_t size) const;
  // Under a claim. done runs inside a later Store::poll() or step().
  void finish(const std::string& path, LargeUpload::Last last, LargeUpload::Done done);

  // Somebody writes to that file: its parts may go ahead, if it has to be stored before close
  // returns.
  void written(const std::string& path);
  // A path has been stored otherwise, or there is nothing to store any more.
  void settled(const std::string& path);
  // Sends what may be sent now. room: requests to the store that may be under way, of all kinds.
  void step(size_t room);
  // When step() is worth calling again without news, Clock::now_ms().
  uint64_t next_ms() const;
  // Every minute or so: what earlier runs have left and nobody will finish.
  void sweep();

  // Whether its last request is on its way: it may still arrive.
  bool completing(const std::string& path) const;
  size_t in_flight() const;  // requests
  // Files whose parts may go ahead.
  size_t growing() const { return growing_.size(); }
  uint64_t bytes_in_flight() const;

 private:
  std::shared_ptr<LargeUpload> upload_of(const std::string& path);
  bool look_at_growing(const std::string& path);
  void look_at_all_growing();

  Context& context_;
  PartsStore* store_;  // null: the store takes none
  std::map<std::string, std::shared_ptr<LargeUpload>> uploads_;
  std::set<std::string> growing_;     // somebody writes to them
  uint64_t look_at_ms_ = UINT64_MAX;  // at growing_
  bool more_ = false;
};

}  // namespace wbshim
