#include "core/store/file_error.h"

#include <cerrno>
#include <cstring>

#include "core/util/display.h"

namespace wbshim {
namespace {

struct Row {
  int error;
  StoreOutcome outcome;
  const char* error_class;
  const char* mend;
};

using enum StoreOutcome;

constexpr Row kRows[] = {
    // Goes away when somebody makes room, without anybody telling us.
    {ENOSPC, TryLater, "DiskFull", "make room there or set WBSHIM_STORE_URL to another place"},
    {EDQUOT, TryLater, "DiskFull", "raise the quota or set WBSHIM_STORE_URL to another place"},
    // The objects below are deleted by requests of their own, which may come later than this one.
    {ENOTEMPTY, TryLater, "DirectoryInTheWay", "a directory of that name still holds objects"},
    // A shortage of this process or machine, not a property of the object.
    {EMFILE, TryLater, "TooManyFiles", "raise the limit on open files (ulimit -n)"},
    {ENFILE, TryLater, "TooManyFiles", "the system is out of open files"},
    {ENOMEM, TryLater, "OutOfMemory", "the system is out of memory"},
    // The name itself is too long for any file system here.
    {ENAMETOOLONG, Refused, "KeyTooLong", "a name in file:// has at most 255 bytes"},
    {EINVAL, Refused, "InvalidKey", "that file system does not take such a name"},
    {EILSEQ, Refused, "InvalidKey", "that file system does not take such a name"},
    {EFBIG, Refused, "EntityTooLarge", "that file system does not take files of that size"},
    // A person has to change permissions or the mount.
    {EACCES, Refused, "AccessDenied", "make the directory writable for this user"},
    {EPERM, Refused, "AccessDenied", "make the directory writable for this user"},
    {EROFS, Refused, "ReadOnly", "mount it writable or set WBSHIM_STORE_URL to another place"},
    {ENOTDIR, Refused, "NotADirectory", "set WBSHIM_STORE_URL to a directory"},
};
// Anything else (EIO, ENOENT of a directory removed meanwhile …) may pass.
constexpr Row kOther = {0, TryLater, "io", "it will be tried again"};
constexpr Row kNoRoot = {0, Refused, "NotADirectory",
                         "set WBSHIM_STORE_URL to a directory that can be made"};

const Row& row_of(int error, const Row& other) {
  for (const Row& each : kRows) {
    if (each.error == error) return each;
  }
  return other;
}

std::string line(const std::string& directory, const std::string& act, int error,
                 const char* mend) {
  return printable("file://" + directory + ": cannot " + act + ": " + strerror(error) + "; " +
                   mend);
}

}  // namespace

StoreResult file_failure(const std::string& directory, const std::string& act, int error) {
  const Row& row = row_of(error, kOther);
  StoreResult out;
  out.outcome = row.outcome;
  out.error_class = row.error_class;
  out.message = line(directory, act, error, row.mend);
  return out;
}

Error file_root_failure(const std::string& directory, int error) {
  const Row& row = row_of(error, kNoRoot);
  return Error{line(directory, "make or open it", error, row.mend)};
}

StoreResult file_key_refused(const std::string& directory, const std::string& key,
                             const std::string& why) {
  StoreResult out;
  out.outcome = StoreOutcome::Refused;
  out.error_class = "InvalidKey";
  out.message = printable("file://" + directory + ": cannot hold the key '" + key + "': " + why +
                          "; rename the file");
  return out;
}

}  // namespace wbshim
