#include "tools/ctl/places.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/util/display.h"
#include "core/util/fd.h"

namespace wbshim::ctl {
namespace {

constexpr const char* kSelf = "/proc/self/exe";

std::string own_directory() {
  char path[PATH_MAX];
  const ssize_t n = readlink(kSelf, path, sizeof path - 1);
  if (n <= 0) return {};
  const std::string self(path, static_cast<size_t>(n));
  return self.substr(0, self.rfind('/'));
}

// The installed tree may have been moved, or staged with DESTDIR: its root is what stands before
// bindir.
std::string installed_root(const std::string& dir) {
  const std::string tail = std::string("/") + WBSHIM_BINDIR;
  if (dir.size() < tail.size() || dir.compare(dir.size() - tail.size(), tail.size(), tail) != 0)
    return {};
  return dir.substr(0, dir.size() - tail.size()) + "/";
}

// The first of the places that exists, canonical.
Result<std::string> first_of(const char* what, const std::vector<std::string>& places) {
  std::string looked;
  for (const std::string& place : places) {
    if (char* real = realpath(place.c_str(), nullptr)) {
      std::string found = real;
      free(real);
      return found;
    }
    looked.append(looked.empty() ? "" : ", ").append(printable(place));
  }
  return Error{std::string(what) + " was not found (looked at " + looked +
               "); build or install wbshim again"};
}

bool read_header(const std::string& path, Elf64_Ehdr* header) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file && read(file.get(), header, sizeof *header) == static_cast<ssize_t>(sizeof *header);
}

}  // namespace

Result<std::string> find_uploader() {
  const std::string dir = own_directory(), root = installed_root(dir);
  std::vector<std::string> places = {dir + "/wbshim-uploader"};
  if (!root.empty()) places.push_back(root + WBSHIM_LIBEXECDIR + "/wbshim-uploader");
  return first_of("wbshim-uploader", places);
}

Result<std::string> find_library() {
  const std::string dir = own_directory(), root = installed_root(dir);
  std::vector<std::string> places = {dir + "/../shim/libwbshim.so"};
  if (!root.empty()) places.push_back(root + WBSHIM_LIBDIR + "/libwbshim.so");
  Result<std::string> found = first_of("libwbshim.so", places);
  if (!found) return found;
  const std::string trouble = library_trouble(found.value(), kSelf);
  if (!trouble.empty()) return Error{printable(found.value()) + ": " + trouble};
  return found;
}

std::string library_trouble(const std::string& path, const std::string& self) {
  if (path.find_first_of(" :\t\n") != std::string::npos) {
    return "a path with a blank or a colon cannot stand in LD_PRELOAD; move the build or the "
           "installation";
  }
  Elf64_Ehdr library, own;
  if (access(path.c_str(), R_OK) != 0) return std::string("it cannot be read: ") + strerror(errno);
  if (!read_header(path, &library) || memcmp(library.e_ident, ELFMAG, SELFMAG) != 0) {
    return "it is no ELF library; build or install wbshim again";
  }
  if (!read_header(self, &own)) return {};
  if (library.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] || library.e_machine != own.e_machine) {
    return "it is built for another kind of machine; build or install wbshim again";
  }
  return {};
}

std::string find_program(const std::string& name) {
  const char* path = getenv("PATH");
  std::string dirs = std::string(path != nullptr ? path : "") +
                     ":/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
  for (size_t from = 0; from <= dirs.size();) {
    const size_t end = std::min(dirs.find(':', from), dirs.size());
    std::string candidate = dirs.substr(from, end - from);
    from = end + 1;
    if (candidate.empty() || candidate.front() != '/') continue;
    candidate.append("/").append(name);
    struct stat st {};
    if (stat(candidate.c_str(), &st) == 0 && S_ISREG(st.st_mode) &&
        access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

}  // namespace wbshim::ctl
