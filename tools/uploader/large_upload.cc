#include "tools/uploader/large_upload.h"

#include <algorithm>

#include "core/base/record.h"
#include "core/store/crypto.h"
#include "core/util/log.h"
#include "tools/uploader/content.h"
#include "tools/uploader/part_plan.h"

namespace wbshim {
namespace {

constexpr unsigned kMostTries = 3;         // of a store that loses parts
constexpr uint64_t kAbortAgainMs = 60000;  // after an abort that failed

std::string text_of(const ObjectMeta& meta) {
  return std::to_string(meta.mode) + ":" + std::to_string(meta.uid) + ":" +
         std::to_string(meta.gid) + ":" + std::to_string(meta.mtime_ns) + ":" +
         std::to_string(meta.generation);
}

StoreResult trouble(const char* error_class, std::string message) {
  StoreResult result;
  result.error_class = error_class;
  result.message = std::move(message);
  return result;
}

bool is_md5(const std::string& etag) {
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string from_hex(const std::string& hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return out;
}

}  // namespace

void LargeUpload::resume(const std::string& row) {
  // "<part size> <attributes> <id>"
  const size_t first = row.find(' '), second = row.find(' ', first + 1);
  if (second == std::string::npos) return;
  part_size_ = strtoull(row.c_str(), nullptr, 10);
  if (part_size_ < kLeastPart || part_size_ > kMostPart) return;
  begun_with_ = row.substr(first + 1, second - first - 1);
  upload_ = {path_, row.substr(second + 1)};
  unknown_parts_ = true;
}

void LargeUpload::stream(Fd file, const struct stat& st, const ObjectMeta& meta) {
  const auto size = static_cast<uint64_t>(st.st_size);
  if (finishing() || dropped_) return;
  // It may grow much further.
  if (upload_.id.empty() && !asked_) part_size_ = wbshim::part_size(size * 4);
  streaming_ = parts_fit(size, part_size_) && size <= kMostPart;
  file_ = std::move(file);
  st_ = st;
  meta_ = meta;
}

void LargeUpload::rest() {
  if (finishing()) return;
  streaming_ = false;
  file_.reset();
}

void LargeUpload::finish(Last last, Done done) {
  streaming_ = dropped_ = false;
  file_ = std::move(last.file);
  st_ = last.st;
  meta_ = last.meta;
  generation_ = last.generation;
  done_ = std::move(done);
  if (upload_.id.empty() && !asked_)
    part_size_ = wbshim::part_size(static_cast<uint64_t>(st_.st_size));
  anew_ = 0;
  read_from_the_start();
}

// What is in the store cannot become this object.
bool LargeUpload::unfit() const {
  const auto size = static_cast<uint64_t>(st_.st_size);
  // Parts that the object does not need: some servers keep the upload for their sake.
  if (!parts_fit(size, part_size_) || parts_.size() > part_count(size, part_size_)) return true;
  // A copy onto itself, which puts the attributes right, has a limit.
  return size > kMostPart && begun_with_ != text_of(meta_);
}

void LargeUpload::read_from_the_start() {
  next_ = 0;
  reading_again_ = read_ = false;
}

void LargeUpload::forget_upload() {
  upload_.id.clear();
  parts_.clear();
  unknown_parts_ = maybe_completed_ = abandoned_ = false;
  read_from_the_start();
}

// In the volume, so that whoever comes after us can go on with it, or abort it.
void LargeUpload::note_row(bool there) {
  const std::string field = context_.volume.client + "/" + path_;
  if (there) {
    const std::string row = std::to_string(part_size_) + " " + begun_with_ + " " + upload_.id;
    context_.redis.command({"HSET", context_.volume.parts(), field, row});
  } else {
    context_.redis.command({"HDEL", context_.volume.parts(), field});
  }
}

Store::Done LargeUpload::mine(Answer answer) {
  asked_ = true;
  in_flight_++;
  return [weak = weak_from_this(), answer](const StoreResult& result) {
    const std::shared_ptr<LargeUpload> self = weak.lock();
    if (!self) return;
    self->asked_ = false;
    self->in_flight_--;
    self->context_.health.saw(result);
    (self.get()->*answer)(result);
  };
}

bool LargeUpload::step() {
  if (asked_) return false;
  if (dropped_ && !finishing()) {
    const bool now =
        in_flight_ == 0 && !upload_.id.empty() && context_.clock.now_ms() >= abort_at_ms_;
    if (now) store_.abort(upload_, mine(&LargeUpload::aborted));
    return false;
  }
  if (!streaming_ && !finishing()) return false;
  if (upload_.id.empty()) {
    if (in_flight_ > 0) return false;  // of the one before
    begun_with_ = text_of(meta_);
    store_.begin(path_, meta_, mine(&LargeUpload::begun));
    return false;
  }
  if (unknown_parts_) {
    ask_for_parts();
    return false;
  }
  if (abandoned_ || (finishing() && unfit())) {
    abandoned_ = true;
    if (in_flight_ == 0) store_.abort(upload_, mine(&LargeUpload::aborted_for_another));
    return false;
  }
  const uint64_t ready = parts_ready();
  if (parts_.size() < ready) parts_.resize(ready);
  if (next_ < ready) return look_at_part(next_);
  if (!finishing()) return false;
  if (!read_) return at_the_end();
  if (in_flight_ == 0) complete();
  return false;
}

uint64_t LargeUpload::parts_ready() const {
  const auto size = static_cast<uint64_t>(st_.st_size);
  if (finishing()) return part_count(size, part_size_);
  // The last whole part may still be under the program's pen.
  const uint64_t whole = size / part_size_;
  return whole == 0 ? 0 : whole - 1;
}

void LargeUpload::begun(const StoreResult& result) {
  if (result.outcome != StoreOutcome::Stored) return failed(result);
  upload_ = {path_, result.body};
  parts_.clear();
  read_from_the_start();
  note_row(true);
}

void LargeUpload::failed(const StoreResult& result) {
  streaming_ = false;
  if (result.outcome == StoreOutcome::Absent) return begin_anew();
  end(End::Answered, result);
}

void LargeUpload::ask_for_parts() {
  asked_ = true;
  in_flight_++;
  store_.list_parts(upload_, [weak = weak_from_this()](const StoredParts& found) {
    const std::shared_ptr<LargeUpload> self = weak.lock();
    if (self) self->parts_listed(found);
  });
}

void LargeUpload::parts_listed(const StoredParts& found) {
  asked_ = false;
  in_flight_--;
  if (found.outcome == StoreOutcome::Absent) return forget_upload();
  if (found.outcome != StoreOutcome::Stored) {
    StoreResult result = trouble("ListParts", "the parts of an earlier try cannot be listed");
    result.outcome = found.outcome;
    return failed(result);
  }
  unknown_parts_ = false;
  for (const StoredPart& part : found.parts) {
    if (part.number == 0 || part.number > kMostParts) continue;
    if (parts_.size() < part.number) parts_.resize(part.number);
    parts_[part.number - 1] = {State::There, {}, part.etag};
  }
}

// True: there is more to do now.
bool LargeUpload::look_at_part(size_t index) {
  Part& part = parts_[index];
  // Of two bodies of one part the one that arrives last counts: one after the other.
  if (part.state == State::Flying && !reading_again_) return false;
  const uint64_t at = index * part_size_, size = static_cast<uint64_t>(st_.st_size);
  auto body = std::make_shared<Body>();
  if (!read_bytes(file_.get(), at, static_cast<size_t>(std::min(part_size_, size - at)), *body)) {
    streaming_ = false;
    if (finishing()) end(End::Changed);
    return false;
  }
  const bool same = part.sha256_hex.empty() ? is_md5(part.etag) && part.etag == md5_hex(body->bytes)
                                            : part.sha256_hex == body->sha256_hex;
  if (reading_again_ && !same) {
    end(End::Changed);
    return false;
  }
  next_++;
  part.sha256_hex = body->sha256_hex;
  if (same && part.state != State::Missing) return true;
  part.state = State::Flying;
  in_flight_++;
  if (streaming_) context_.tally.ahead_bytes += body->bytes.size();
  store_.put(upload_, static_cast<unsigned>(index + 1), std::move(body),
             [weak = weak_from_this(), index, id = upload_.id](StoreResult result) {
               const std::shared_ptr<LargeUpload> self = weak.lock();
               if (self) self->part_answered(index, id, std::move(result));
             });
  return true;
}

void LargeUpload::part_answered(size_t index, const std::string& id, StoreResult result) {
  in_flight_--;
  context_.health.saw(result);
  if (id != upload_.id || index >= parts_.size()) return;  // of the one before
  Part& part = parts_[index];
  if (result.outcome == StoreOutcome::Stored) {
    part.state = State::There;
    part.etag = std::move(result.etag);
    return;
  }
  part.state = State::Missing;
  next_ = std::min(next_, index);
  read_ = false;  // it is read again, so the file has to be the same after that
  if (!result.mended) failed(result);
}

// Everything has been read. True: there is more to do now.
bool LargeUpload::at_the_end() {
  struct stat now = {};
  const bool same = fstat(file_.get(), &now) == 0 && record::same(st_, now);
  const bool doubtful = context_.writers.reduced();
  if (!same || (doubtful && context_.writers.test(file_.get(), now) != Writers::None)) {
    end(End::Changed);
    return false;
  }
  if (doubtful && !reading_again_) {
    reading_again_ = true;
    next_ = 0;
  } else {
    read_ = true;
  }
  return true;
}

void LargeUpload::complete() {
  const Claim claim = context_.queue.renew(path_, path_, generation_);
  if (claim.answer == Claim::Answer::Away)
    return end(End::Answered, trouble("Redis", "Redis is away: " + context_.redis.trouble()));
  if (claim.answer != Claim::Answer::Taken) return end(End::Lost);
  dated_ms_ = claim.dated_ms;
  std::vector<std::string> etags;
  const uint64_t count = part_count(static_cast<uint64_t>(st_.st_size), part_size_);
  for (uint64_t i = 0; i < count; i++) etags.push_back(parts_[i].etag);
  completing_ = true;
  store_.complete(upload_, etags, dated_ms_, mine(&LargeUpload::completed));
}

void LargeUpload::completed(const StoreResult& result) {
  switch (result.outcome) {
    case StoreOutcome::Stored:
      return seen_complete(result);
    case StoreOutcome::Absent:
      completing_ = false;
      // Our own success of an earlier try, perhaps.
      if (maybe_completed_) {
        context_.store.head(path_, mine(&LargeUpload::looked_for));
      } else {
        begin_anew();
      }
      return;
    default:
      maybe_completed_ = maybe_completed_ || result.outcome == StoreOutcome::Unknown;
      return end(End::Answered, result);
  }
}

// What an object of these parts is called; empty: not to be told.
std::string LargeUpload::expected_etag() const {
  std::string sums;
  const uint64_t count = part_count(static_cast<uint64_t>(st_.st_size), part_size_);
  for (uint64_t i = 0; i < count && i < parts_.size(); i++) {
    if (!is_md5(parts_[i].etag)) return {};
    sums += from_hex(parts_[i].etag);
  }
  return md5_hex(sums) + "-" + std::to_string(count);
}

void LargeUpload::looked_for(const StoreResult& result) {
  const bool ours = result.outcome == StoreOutcome::Stored && result.etag == expected_etag();
  if (ours) return seen_complete(result);
  StoreResult other = result;
  if (other.outcome == StoreOutcome::Stored) other.outcome = StoreOutcome::Absent;
  failed(other);
}

void LargeUpload::seen_complete(const StoreResult& result) {
  const bool right = begun_with_ == text_of(meta_);
  forget_upload();
  read_ = true;
  note_row(false);
  if (right) return end(End::Answered, result);
  completing_ = true;
  store_.copy_onto_itself(path_, meta_, dated_ms_, mine(&LargeUpload::attributes_put));
}

void LargeUpload::attributes_put(const StoreResult& result) {
  completing_ = false;
  // A store that cannot copy: sent once more, with the right attributes from the start.
  if (result.outcome == StoreOutcome::Refused) return begin_anew();
  end(End::Answered, result);
}

void LargeUpload::begin_anew() {
  abandoned_ = !upload_.id.empty();
  if (!finishing() || ++anew_ < kMostTries) return;
  end(End::Answered, trouble("NoSuchUpload",
                             "the store loses the parts of the upload again and "
                             "again; is something aborting them?"));
}

void LargeUpload::aborted_for_another(const StoreResult& result) {
  if (result.outcome != StoreOutcome::Stored)
    log_warn("parts of '" + path_ + "' are left in the store: " + result.message);
  forget_upload();
  note_row(false);
  if (finishing()) part_size_ = wbshim::part_size(static_cast<uint64_t>(st_.st_size));
}

void LargeUpload::aborted(const StoreResult& result) {
  abort_at_ms_ = context_.clock.now_ms() + kAbortAgainMs;
  if (result.outcome != StoreOutcome::Stored) return;
  forget_upload();
  note_row(false);
}

void LargeUpload::end(End how, StoreResult result) {
  const Done done = std::move(done_);
  done_ = nullptr;
  completing_ = false;
  file_.reset();
  if (done) done(how, std::move(result));
}

}  // namespace wbshim
