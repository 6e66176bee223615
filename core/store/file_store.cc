#include "core/store/file_store.h"

#include <poll.h>
#include <sys/stat.h>

#include <deque>
#include <utility>
#include <vector>

#include "core/base/fault.h"
#include "core/store/file_error.h"
#include "core/store/file_objects.h"
#include "core/store/sync_all.h"

namespace wbshim {
namespace {

constexpr size_t kBatch = 32;  // operations that share their syncs
constexpr char kProbeKey[] = ".wbshim-probe";

enum class Kind { Put, Remove, Head, Get, List };

struct Operation {
  Kind kind;
  std::string key_text;
  FilePut put;
  Store::Done done;
  Listing listing;  // of List
  Store::Listed listed;

  FileKey key;            // parsed
  bool finished = false;  // result is final
  StoreResult result;
};

class FileStore final : public Store {
 public:
  explicit FileStore(std::string directory) : directory_(std::move(directory)) {}

  void put(const std::string& key, std::shared_ptr<const Body> body, const ObjectMeta& meta,
           uint64_t, Done done) override {
    Operation& op = enqueue(Kind::Put, key, std::move(done));
    op.put.body = body ? std::move(body) : std::make_shared<Body>();
    op.put.meta = meta;
  }
  void remove(const std::string& key, uint64_t, Done done) override {
    enqueue(Kind::Remove, key, std::move(done));
  }
  void head(const std::string& key, Done done) override {
    enqueue(Kind::Head, key, std::move(done));
  }
  void get(const std::string& key, Done done) override { enqueue(Kind::Get, key, std::move(done)); }

  void list(const std::string& directory, const std::string&, Listed done) override {
    enqueue(Kind::List, directory, {}).listed = std::move(done);
  }

  Status probe(int timeout_ms) override;
  size_t in_flight() const override { return waiting_.size(); }
  void poll(std::vector<Extra>& extras, int timeout_ms) override;

 private:
  using Batch = std::deque<Operation>;

  Operation& enqueue(Kind kind, const std::string& key, Done done) {
    Operation& op = waiting_.emplace_back();
    op.kind = kind;
    op.key_text = key;
    op.done = std::move(done);
    return op;
  }

  void run_batch();
  void run(Operation& op);
  void sync_staged(Batch& batch);  // Puts: onto the disk
  void fail(Operation& op, int error);

  std::string directory_;
  FileObjects objects_;
  Batch waiting_;
};

void FileStore::fail(Operation& op, int error) {
  static constexpr const char* kActs[] = {"store", "delete", "look up", "read", "list"};
  op.result = file_failure(
      directory_, std::string(kActs[static_cast<int>(op.kind)]) + " '" + op.key_text + "'", error);
  op.finished = true;
}

void FileStore::sync_staged(Batch& batch) {
  std::vector<Operation*> staged;
  std::vector<int> descriptors;
  for (Operation& op : batch) {
    if (!op.put.file || op.finished) continue;
    staged.push_back(&op);
    descriptors.push_back(op.put.file.get());
  }
  const std::vector<int> errors = sync_all(descriptors);
  for (size_t i = 0; i < staged.size(); i++) {
    if (errors[i] != 0) fail(*staged[i], errors[i]);
    staged[i]->put.file.reset();
  }
  if (!staged.empty()) WBSHIM_FAULT(FileSynced);
}

void FileStore::run(Operation& op) {
  op.result.outcome = StoreOutcome::Stored;
  int error = 0;
  if (op.kind == Kind::Put) error = objects_.commit(op.key, op.put, &op.result.etag);
  if (op.kind == Kind::Remove) error = objects_.remove(op.key);
  if (op.kind == Kind::Head || op.kind == Kind::Get) {
    error = objects_.look(op.key, op.kind == Kind::Get, &op.result);
  }
  if (op.kind == Kind::List) error = objects_.list(op.key, &op.listing);
  if (op.kind == Kind::Put && error == 0) WBSHIM_FAULT(FileNoted);
  if (error != 0) fail(op, error);
  if (error != 0 && op.put.changed) op.result.outcome = StoreOutcome::Unknown;
  objects_.discard(op.put);
}

void FileStore::run_batch() {
  Batch batch;
  while (!waiting_.empty() && batch.size() < kBatch) {
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  const int opened = objects_.open(directory_);
  for (Operation& op : batch) {
    const bool root = op.kind == Kind::List && op.key_text.empty();
    auto key = root ? Result<FileKey>(FileKey()) : FileKey::parse(op.key_text);
    if (opened != 0) {
      fail(op, opened);
    } else if (!key) {
      op.result = file_key_refused(directory_, op.key_text, key.message());
      op.finished = true;
    } else {
      op.key = std::move(key.value());
      if (op.kind != Kind::Put) continue;
      if (const int error = objects_.stage(op.key, op.put)) fail(op, error);
    }
  }
  sync_staged(batch);
  for (Operation& op : batch) {
    if (!op.finished) {
      run(op);
    } else {
      objects_.discard(op.put);
    }
  }
  if (const int error = objects_.sync_directories()) {
    for (Operation& op : batch) {
      const bool change = op.kind == Kind::Put || op.kind == Kind::Remove;
      if (!change || op.finished) continue;
      fail(op, error);
      op.result.outcome = StoreOutcome::Unknown;  // done, but perhaps not for good
    }
  }
  for (Operation& op : batch) {
    if (op.kind != Kind::List) {
      op.done(std::move(op.result));
    } else {
      op.listing.outcome = op.result.outcome;
      op.listing.error_class = std::move(op.result.error_class);
      op.listing.message = std::move(op.result.message);
      op.listed(std::move(op.listing));
    }
  }
}

void FileStore::poll(std::vector<Extra>& extras, int timeout_ms) {
  const bool busy = !waiting_.empty();
  if (busy) run_batch();
  std::vector<pollfd> fds;
  fds.reserve(extras.size());
  for (const Extra& extra : extras) fds.push_back({extra.fd, extra.events, 0});
  const int ready = ::poll(fds.data(), fds.size(), busy ? 0 : timeout_ms);
  for (size_t i = 0; i < fds.size(); i++) extras[i].revents = ready > 0 ? fds[i].revents : short{0};
}

Status FileStore::probe(int) {
  if (const int error = objects_.open(directory_)) return file_root_failure(directory_, error);
  StoreResult result;
  bool answered = false;
  auto body = std::make_shared<Body>(Body{"wbshim probe\n", {}});
  ObjectMeta meta;
  meta.mode = S_IFREG | 0600;
  const auto keep = [&](StoreResult r) {
    answered = true;
    result = std::move(r);
  };
  put(kProbeKey, body, meta, 0, keep);
  std::vector<Extra> none;
  while (!answered) poll(none, 0);
  if (result.outcome != StoreOutcome::Stored) return Error{result.message};
  answered = false;
  remove(kProbeKey, 0, keep);
  while (!answered) poll(none, 0);
  if (result.outcome != StoreOutcome::Stored) return Error{result.message};
  objects_.drop_stale_temporaries();
  return Ok{};
}

}  // namespace

std::unique_ptr<Store> make_file_store(const std::string& directory) {
  return std::make_unique<FileStore>(directory);
}

}  // namespace wbshim
