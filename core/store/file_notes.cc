#include "core/store/file_notes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <string_view>

#include "core/base/fault.h"
#include "core/store/crypto.h"
#include "core/store/file_io.h"

namespace wbshim {
namespace {

constexpr size_t kShardDigits = 2;
constexpr size_t kMaxNote = size_t{64} * 1024;

struct NoteName {
  explicit NoteName(const std::string& key) {
    const std::string digest = sha256_hex(key);
    shard = digest.substr(0, kShardDigits);
    path = shard + "/" + digest.substr(kShardDigits);
  }
  std::string shard;
  std::string path;
};

std::string key_line(const std::string& key) {
  std::string out;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '%') {
      char hex[4];
      (void)snprintf(hex, sizeof hex, "%%%02X", byte);
      out += hex;
    } else {
      out += c;
    }
  }
  return out;
}

// Takes a note apart from its front.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  template <typename Number>
  bool number(std::string_view before, Number* out) {
    if (!skip(before)) return false;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), *out);
    left_.remove_prefix(static_cast<size_t>(end - left_.data()));
    return error == std::errc();
  }
  // Up to the line's end; not empty.
  bool word(std::string_view before, std::string* out) {
    if (!skip(before)) return false;
    *out = left_.substr(0, left_.find('\n'));
    left_.remove_prefix(out->size());
    return !out->empty();
  }

 private:
  bool skip(std::string_view before) {
    if (left_.substr(0, before.size()) != before) return false;
    left_.remove_prefix(before.size());
    return true;
  }
  std::string_view left_;
};

int64_t mtime_ns_of(const struct stat& st) {
  return int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
}

}  // namespace

bool FileNote::describes(const struct stat& st) const {
  if (inode != st.st_ino) return false;
  if (S_ISDIR(st.st_mode)) return true;
  return size == static_cast<uint64_t>(st.st_size) && mtime_ns == mtime_ns_of(st);
}

void FileNote::describe(const struct stat& st) {
  inode = st.st_ino;
  size = static_cast<uint64_t>(st.st_size);
  mtime_ns = mtime_ns_of(st);
}

int FileNotes::write(const std::string& key, const FileNote& note) const {
  char numbers[256];
  (void)snprintf(numbers, sizeof numbers,
                 "gen %" PRIu64 "\nmode %" PRIu32 " uid %" PRIu32 " gid %" PRIu32 "\n",
                 note.meta.generation, note.meta.mode, note.meta.uid, note.meta.gid);
  char file[128];
  (void)snprintf(file, sizeof file, "file %" PRIu64 " %" PRIu64 " %" PRId64 "\n", note.inode,
                 note.size, note.mtime_ns);
  const std::string text =
      "wbshim-note 1\nkey " + key_line(key) + "\n" + file + "etag " + note.etag + "\n" + numbers;
  const NoteName name(key);
  const std::string temporary = name.path + "." + std::to_string(getpid());
  Fd fd(
      openat(directory_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd && errno == ENOENT) {
    if (mkdirat(directory_.get(), name.shard.c_str(), 0700) != 0 && errno != EEXIST) return errno;
    fd.reset(openat(directory_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                    0600));
  }
  if (!fd) return errno;
  int error = write_all(fd.get(), text);
  WBSHIM_FAULT(NoteWritten);
  if (error == 0 &&
      renameat(directory_.get(), temporary.c_str(), directory_.get(), name.path.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) unlinkat(directory_.get(), temporary.c_str(), 0);
  return error;
}

std::optional<FileNote> FileNotes::read(const std::string& key) const {
  Fd fd(openat(directory_.get(), NoteName(key).path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string text;
  if (read_all(fd.get(), kMaxNote, &text) != 0) return std::nullopt;
  const size_t file = text.find("\nfile ");
  if (file == std::string::npos) return std::nullopt;
  FileNote note;
  Reader reader(std::string_view(text).substr(file));
  const bool whole =
      reader.number("\nfile ", &note.inode) && reader.number(" ", &note.size) &&
      reader.number(" ", &note.mtime_ns) && reader.word("\netag ", &note.etag) &&
      reader.number("\ngen ", &note.meta.generation) && reader.number("\nmode ", &note.meta.mode) &&
      reader.number(" uid ", &note.meta.uid) && reader.number(" gid ", &note.meta.gid);
  if (!whole) return std::nullopt;
  note.meta.mtime_ns = note.mtime_ns;
  return note;
}

void FileNotes::erase(const std::string& key) const {
  unlinkat(directory_.get(), NoteName(key).path.c_str(), 0);
}

}  // namespace wbshim
