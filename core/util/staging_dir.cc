#include "core/util/staging_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/layout.h"
#include "core/base/reserve.h"
#include "core/util/fd.h"

namespace wbshim {
namespace {

Error blame(const Config& config, const std::string& what) {
  return Error{config.complaint(Option::STAGING_DIR, what)};
}

Error failed(const Config& config, const char* act, int error) {
  std::string mend = "choose another with WBSHIM_STAGING_DIR";
  if (error == EROFS) mend = "choose one on a disk that can be written";
  if (error == ENOSPC || error == EDQUOT) mend = "make room, or choose one on another disk";
  return blame(config, std::string("cannot ") + act + ": " + strerror(error) + "; " + mend);
}

// mkdir -p; the last one with mode 0700.
int make_directories(const std::string& path) {
  int parent_error = ENOENT;
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    // A parent that exists may refuse in its own way; only when the last one is missed does it
    // matter why.
    if (mkdir(path.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST) parent_error = errno;
  }
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return 0;
  return errno == ENOENT ? parent_error : errno;
}

bool is_empty(const std::string& path) {
  DIR* dir = opendir(path.c_str());
  if (dir == nullptr) return false;
  bool empty = true;
  while (const dirent* entry = readdir(dir)) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) empty = false;
  }
  closedir(dir);
  return empty;
}

bool looks_like_staging(const std::string& path) {
  for (const char* part :
       {layout::kTree, layout::kRunDir, layout::kJournalDir, layout::kClientId}) {
    if (access((path + "/" + part).c_str(), F_OK) == 0) return true;
  }
  return false;
}

Status claim_directory(const Config& config) {
  const std::string& path = config.staging();
  const int error = make_directories(path);
  struct stat st {};
  if (stat(path.c_str(), &st) != 0)
    return failed(config, "make the directory", error != 0 ? error : errno);
  if (!S_ISDIR(st.st_mode)) return blame(config, "it is not a directory; choose another");
  if (st.st_uid != geteuid()) {
    return blame(config, "it belongs to user " + std::to_string(st.st_uid) + ", not to you (" +
                             std::to_string(geteuid()) + "); choose one of your own");
  }
  if ((st.st_mode & 077) == 0) return Ok{};
  // Closing somebody's /tmp or home to the world would do harm.
  if (!is_empty(path) && !looks_like_staging(path)) {
    return blame(
        config,
        "it holds other things and is open to other users; choose a new or an empty directory");
  }
  if (chmod(path.c_str(), 0700) != 0) return failed(config, "close it to other users", errno);
  return Ok{};
}

// One of the directories in it: a directory itself, not a link to one elsewhere, and nobody else's.
// error: why it could not be made.
Status claim_part(const Config& config, const char* part, int* error) {
  const bool tree = part == layout::kTree;  // programs see its mode as the prefix's
  const std::string path = config.in_staging(part);
  if (mkdir(path.c_str(), tree ? 0755 : 0700) != 0 && errno != EEXIST) {
    *error = errno;
    return failed(config, "make a directory in it", *error);
  }
  const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat st {};
  if (!fd && (errno == ELOOP || errno == ENOTDIR)) {
    return blame(config, "its '" + std::string(part) +
                             "' is no directory of its own; remove it, or choose another");
  }
  // A program may have closed the prefix to everybody: that is its business.
  if (!fd && tree && errno == EACCES) return Ok{};
  if (!fd || fstat(fd.get(), &st) != 0) return failed(config, "open a directory in it", errno);
  if (st.st_uid != geteuid() && !tree) {
    return blame(config, "its '" + std::string(part) + "' belongs to user " +
                             std::to_string(st.st_uid) + "; choose another");
  }
  if (!tree && (st.st_mode & 077) != 0 && fchmod(fd.get(), 0700) != 0)
    return failed(config, "close it to other users", errno);
  return Ok{};
}

// One try. error: why something could not be made.
Status make_parts(const Config& config, int* error) {
  *error = 0;
  for (const char* part : {layout::kTree, layout::kJournalDir, layout::kRunDir}) {
    if (Status claimed = claim_part(config, part, error); !claimed) return claimed;
  }
  // mkdir says nothing of a disk that has become read-only or full since.
  const std::string probe = config.in_staging("run/probe." + std::to_string(getpid()));
  (void)unlink(probe.c_str());
  const Fd file(open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file || write(file.get(), "1", 1) != 1) *error = errno;
  if (file) (void)unlink(probe.c_str());
  if (*error != 0) return failed(config, "write into it", *error);
  return Ok{};
}

}  // namespace

Status prepare_staging(const Config& config) {
  if (Status claimed = claim_directory(config); !claimed) return claimed;
  int error = 0;
  Status made = make_parts(config, &error);
  // What is kept back for a full disk is for this, too.
  if ((error == ENOSPC || error == EDQUOT) && reserve::give_up(config.staging().c_str()))
    made = make_parts(config, &error);
  return made;
}

}  // namespace wbshim
