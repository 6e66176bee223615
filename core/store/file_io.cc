#include "core/store/file_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "core/util/fd.h"

namespace wbshim {

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

int read_all(int fd, size_t limit, std::string* out) {
  constexpr size_t kStep = size_t{64} * 1024;
  size_t total = 0;
  for (;;) {
    const size_t start = out->size();
    out->resize(start + kStep);
    const ssize_t n = read(fd, out->data() + start, kStep);
    out->resize(start + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return 0;
    total += static_cast<size_t>(n);
    if (total > limit) return EFBIG;
  }
}

int read_link(int parent, const char* name, std::string* out) {
  out->resize(PATH_MAX);
  const ssize_t n = readlinkat(parent, name, out->data(), out->size());
  out->resize(n > 0 ? static_cast<size_t>(n) : 0);
  return n < 0 ? errno : 0;
}

int list_directory(int directory, std::vector<std::string>* names) {
  // A description of its own: a duplicate would share the position in the listing.
  Fd own(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return errno;
  DIR* stream = fdopendir(own.get());
  if (stream == nullptr) return errno;
  own.release();  // the stream closes it
  while (const dirent* entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names->emplace_back(name);
  }
  closedir(stream);
  return 0;
}

}  // namespace wbshim
