#include "tools/ctl/verify_mend.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/record.h"
#include "core/store/crypto.h"

namespace wbshim::ctl {
namespace {

constexpr uint32_t kPlainDirectory = 0755;
constexpr size_t kMd5Digits = 32;
constexpr size_t kSha256Digits = 64;

bool hex(const std::string& text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Mend change_of(const Facts& facts, Mend::Act act) {
  Mend change;
  change.act = act;
  change.path = facts.path;
  change.type = facts.type;
  if (facts.record) {
    change.generation = facts.record->generation;
    if (facts.record->type == 'l' && facts.type == 'f') change.type = 'l';
  }
  if (facts.object.there) {
    change.etag = facts.object.etag;
    change.object_generation = facts.object.meta.generation;
  }
  return change;
}

// A directory with entries: these imply it.
bool needs_no_object(const Facts& facts, const std::string& client) {
  return facts.type == 'd' && facts.filled && facts.sight == Sight::Present && facts.record &&
         facts.record->staged() && facts.record->owner == client && !facts.busy &&
         !facts.settling && matches(*facts.record, facts.st);
}

}  // namespace

std::optional<std::string> local_bytes(const Tree& tree, const std::string& path,
                                       const struct stat& st) {
  if (S_ISDIR(st.st_mode)) return std::string();
  std::string bytes;
  if (S_ISLNK(st.st_mode)) {
    Result<std::string> target = tree.link_target(path);
    if (!target) return std::nullopt;
    bytes = std::move(target.value());
  } else {
    const Fd fd = tree.open_beneath(path, O_RDONLY);
    struct stat now = {};
    if (!fd || fstat(fd.get(), &now) != 0 || !record::same(st, now)) return std::nullopt;
    bytes.resize(static_cast<size_t>(st.st_size));
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t n = read(fd.get(), bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return std::nullopt;
      done += static_cast<size_t>(n);
    }
  }
  struct stat after = {};
  if (tree.look(path, &after) != Sight::Present || !record::same(st, after)) return std::nullopt;
  return bytes;
}

std::optional<bool> same_bytes(StoreReader& store, const std::string& key,
                               const StoredObject& object, const std::string& bytes) {
  if (object.size != bytes.size()) return false;
  // Equal digests are equal bytes; others may be of another kind (encrypted objects, parts).
  if (hex(object.etag, kSha256Digits) && sha256_hex(bytes) == object.etag) return true;
  if (hex(object.etag, kMd5Digits) && md5_hex(bytes) == object.etag) return true;
  StoreResult found;
  if (!store.get(key, &found)) return std::nullopt;
  return found.outcome == StoreOutcome::Stored && found.etag == object.etag && found.body == bytes;
}

std::string Mender::apply(const Mend& change, const char* done) {
  return wbshim::mend(link_.redis(), link_.volume(), change) == Mended::Done ? done : "";
}

bool Mender::keep(const Facts& facts) {
  if (needs_no_object(facts, link_.volume().client)) {
    Mend change = change_of(facts, Mend::Act::Stored);
    change.etag = facts.record->etag;  // of an object from when it was empty
    return !apply(change, "recorded").empty();
  }
  const bool candidate = facts.sight == Sight::Present && facts.record && facts.object.there &&
                         facts.record->staged() && matches(*facts.record, facts.st) &&
                         facts.record->owner == link_.volume().client && !facts.busy &&
                         !facts.settling && !facts.open && !facts.filled;
  if (!candidate || !same_attributes(facts.object.meta, facts.st)) return false;
  const auto bytes = local_bytes(tree_, facts.path, facts.st);
  if (!bytes) return false;
  const auto same = same_bytes(store_, facts.key(), facts.object, *bytes);
  return same && *same && !apply(change_of(facts, Mend::Act::Stored), "recorded").empty();
}

// Directories above a restored file, which objects only imply.
void Mender::record_ancestors(const std::string& path) {
  for (std::string dir = parent_of(path); !dir.empty(); dir = parent_of(dir)) {
    Mend change;
    change.act = Mend::Act::Restore;
    change.path = dir;
    change.type = 'd';
    change.mode = kPlainDirectory;
    std::vector<StoreResult> own;
    if (store_.head({dir + "/"}, &own) && own[0].outcome == StoreOutcome::Stored) {
      change.etag = own[0].etag;
      change.object_generation = own[0].generation;
      change.mode = own[0].meta.mode;
      change.uid = own[0].meta.uid;
      change.gid = own[0].meta.gid;
    }
    // There already, and so are those above it.
    if (wbshim::mend(link_.redis(), link_.volume(), change) != Mended::Done) return;
  }
}

std::string Mender::restore(const Facts& facts) {
  const ObjectMeta& meta = facts.object.meta;
  Mend change = change_of(facts, Mend::Act::Restore);
  change.type = S_ISDIR(meta.mode) ? 'd' : S_ISLNK(meta.mode) ? 'l' : 'f';
  // A key that does not fit its own attributes is not one of ours.
  if ((change.type == 'd') != (facts.type == 'd')) return {};
  change.size = change.type == 'f' ? facts.object.size : 0;
  change.mode = meta.mode;
  change.uid = meta.uid;
  change.gid = meta.gid;
  change.mtime_ns = meta.mtime_ns;
  if (change.type == 'l') {
    StoreResult body;
    if (!store_.get(facts.key(), &body) || body.etag != facts.object.etag) return {};
    change.target = std::move(body.body);
  }
  record_ancestors(facts.path);
  return apply(change, "recorded again, as a file that is in the store only");
}

std::string Mender::mend(const Facts& facts, const Verdict& verdict) {
  if (verdict.finding == Finding::Stray && line_.delete_strays)
    return apply(change_of(facts, Mend::Act::Delete), "queued for deletion");
  if (verdict.finding == Finding::Stray && line_.restore_strays) return restore(facts);
  if (!verdict.act) return {};
  switch (*verdict.act) {
    case Mend::Act::Restore:
      return restore(facts);
    case Mend::Act::Again:
      if (keep(facts)) return "found stored already";
      return apply(change_of(facts, Mend::Act::Again), "queued again, due now");
    case Mend::Act::Queue:
      if (keep(facts)) return "found stored already";
      return apply(change_of(facts, Mend::Act::Queue), "queued, due now");
    case Mend::Act::Lost:
      // Marked, so that it is not tried for ever; that mends nothing.
      (void)apply(change_of(facts, Mend::Act::Lost), "marked");
      return {};
    case Mend::Act::Forget: {
      Mend change = change_of(facts, Mend::Act::Forget);
      change.etag = facts.damaged;
      wants_scan_ = true;
      return apply(change, "recorded anew from the file");
    }
    case Mend::Act::Stored:
    case Mend::Act::Delete:
      break;
  }
  return {};
}

}  // namespace wbshim::ctl
