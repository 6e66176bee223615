#include "tools/uploader/large_uploads.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "core/util/log.h"
#include "tools/uploader/content.h"
#include "tools/uploader/part_plan.h"

namespace wbshim {
namespace {

constexpr size_t kAtOnce = 4;          // requests for parts
constexpr uint64_t kLookMs = 200;      // at files that grow
constexpr size_t kMostGrowing = 1000;  // of which is known

}  // namespace

bool LargeUploads::takes(uint64_t size) const {
  return store_ != nullptr && size > kWholeUpTo;
}

std::shared_ptr<LargeUpload> LargeUploads::upload_of(const std::string& path) {
  std::shared_ptr<LargeUpload>& upload = uploads_[path];
  if (!upload) {
    upload = std::make_shared<LargeUpload>(context_, *store_, path);
    const Reply row = context_.redis.command(
        {"HGET", context_.volume.parts(), context_.volume.client + "/" + path});
    if (row.kind == Reply::Kind::Text) upload->resume(row.text);
  }
  return upload;
}

void LargeUploads::finish(const std::string& path, LargeUpload::Last last, LargeUpload::Done done) {
  growing_.erase(path);
  upload_of(path)->finish(std::move(last), std::move(done));
  more_ = true;
}

void LargeUploads::written(const std::string& path) {
  const bool through = context_.config.writeback_max_size() > 0;
  if (store_ == nullptr || !through || growing_.size() >= kMostGrowing) return;
  growing_.insert(path);
  look_at_ms_ = std::min(look_at_ms_, context_.clock.now_ms());
}

void LargeUploads::settled(const std::string& path) {
  growing_.erase(path);
  const auto found = uploads_.find(path);
  if (found != uploads_.end() && !found->second->finishing()) found->second->drop();
}

// False: it does not grow any more.
bool LargeUploads::look_at_growing(const std::string& path) {
  struct stat st = {};
  Fd file = context_.tree.open_beneath(path, O_RDONLY);
  const bool there = file && fstat(file.get(), &st) == 0 && S_ISREG(st.st_mode);
  // Reduced mode reads everything twice already; the kernel does not tell of writers.
  const bool grows = there && !context_.writers.reduced() &&
                     context_.writers.test(file.get(), st) == Writers::Some;
  const auto size = static_cast<uint64_t>(st.st_size);
  if (grows && takes(size) && size > context_.config.writeback_max_size()) {
    upload_of(path)->stream(std::move(file), st, meta_of(st, 0));
    more_ = true;
  }
  if (!there) settled(path);
  return grows;
}

void LargeUploads::look_at_all_growing() {
  const std::vector<std::string> all(growing_.begin(), growing_.end());
  for (const std::string& path : all) {
    if (look_at_growing(path)) continue;
    growing_.erase(path);
    const auto found = uploads_.find(path);
    if (found != uploads_.end()) found->second->rest();
  }
  look_at_ms_ = growing_.empty() ? UINT64_MAX : context_.clock.now_ms() + kLookMs;
}

void LargeUploads::step(size_t room) {
  more_ = false;
  if (store_ == nullptr || context_.health.paused() || context_.health.away()) return;
  if (context_.clock.now_ms() >= look_at_ms_) look_at_all_growing();
  if (uploads_.empty()) return;
  // Under a limit of bytes per second more at once would only hold up others.
  const size_t wanted = context_.config.upload_limit() > 0 ? 1 : kAtOnce;
  const size_t most = std::min(wanted, std::max<size_t>(1, room / 2));
  std::vector<std::shared_ptr<LargeUpload>> all;
  for (const auto& [path, upload] : uploads_) all.push_back(upload);
  // What somebody may be waiting for comes first.
  std::stable_partition(all.begin(), all.end(), [](const auto& u) { return u->finishing(); });
  for (const auto& upload : all) {
    if (room > 0 && in_flight() < most) more_ = upload->step() || more_;
  }
  std::erase_if(uploads_, [](const auto& each) { return each.second->idle(); });
}

uint64_t LargeUploads::next_ms() const {
  return more_ ? context_.clock.now_ms() : look_at_ms_;
}

void LargeUploads::sweep() {
  if (store_ == nullptr || context_.health.paused() || context_.health.away()) return;
  const std::string own = context_.volume.client + "/";
  const Reply rows = context_.redis.command({"HKEYS", context_.volume.parts()});
  std::set<std::string> known;
  for (const Reply& row : rows.items) {
    if (row.text.compare(0, own.size(), own) == 0) known.insert(row.text.substr(own.size()));
  }
  for (const auto& [path, upload] : uploads_) known.insert(path);
  std::vector<std::string> paths;
  for (const std::string& path : known) {
    const auto found = uploads_.find(path);
    const bool finishing = found != uploads_.end() && found->second->finishing();
    if (!finishing && growing_.count(path) == 0) paths.push_back(path);
  }
  const auto times = context_.queue.due_times(List::Due, paths);
  for (size_t i = 0; i < times.size(); i++) {
    if (times[i]) continue;
    log_info("the parts of '" + paths[i] + "' are not wanted any more");
    upload_of(paths[i])->drop();
    more_ = true;
  }
}

bool LargeUploads::completing(const std::string& path) const {
  const auto found = uploads_.find(path);
  return found != uploads_.end() && found->second->completing();
}

size_t LargeUploads::in_flight() const {
  size_t sum = 0;
  for (const auto& [path, upload] : uploads_) sum += upload->in_flight();
  return sum;
}

uint64_t LargeUploads::bytes_in_flight() const {
  uint64_t sum = 0;
  for (const auto& [path, upload] : uploads_) sum += upload->in_flight() * upload->part_size();
  return sum;
}

}  // namespace wbshim
