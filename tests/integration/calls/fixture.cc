#include "fixture.h"

#include <dirent.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "call.h"

namespace calls {
namespace {

std::string joined(const std::string& directory, const std::string& name) {
  return directory + "/" + name;
}

// Names below a directory with their status; `exact` also gets what shows that anything was changed.
void outline(const std::string& directory, const std::string& shown, ino_t skipped,
             std::string* said, std::string* exact) {
  std::vector<std::string> names;
  if (DIR* dir = opendir(directory.c_str())) {
    while (const struct dirent* entry = readdir(dir)) {
      const std::string name = entry->d_name;
      if (name != "." && name != ".." && entry->d_ino != skipped) names.push_back(name);
    }
    closedir(dir);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string path = joined(directory, name);
    struct stat st {};
    if (lstat(path.c_str(), &st) != 0) continue;
    *said += "; " + escaped(shown + name) + " " + describe(st);
    *exact += "; " + name + " " + std::to_string(st.st_ino) + " " +
              std::to_string(st.st_ctim.tv_sec) + "." + std::to_string(st.st_ctim.tv_nsec);
    if (S_ISLNK(st.st_mode)) {
      char to[5000];
      const ssize_t size = readlink(path.c_str(), to, sizeof to);
      *said += " -> " + (size < 0 ? status(size) : escaped({to, static_cast<size_t>(size)}));
    }
    if (S_ISDIR(st.st_mode)) outline(path, shown + name + "/", 0, said, exact);
  }
}

void everything(std::string* said, std::string* exact) {
  struct stat root {};
  lstat(places.root.c_str(), &root);
  *said = describe(root);
  *exact = std::to_string(root.st_ino) + "." + std::to_string(root.st_ctim.tv_sec) + "." +
           std::to_string(root.st_ctim.tv_nsec);
  outline(places.base, "beside:", root.st_ino, said, exact);
  outline(places.root, "", 0, said, exact);
}

void empty(const std::string& directory, const std::string& kept) {
  chmod(directory.c_str(), 0755);
  DIR* dir = opendir(directory.c_str());
  if (!dir) return;
  std::vector<std::string> names;
  while (const struct dirent* entry = readdir(dir)) names.push_back(entry->d_name);
  closedir(dir);
  for (const std::string& name : names) {
    const std::string path = joined(directory, name);
    if (name == "." || name == ".." || path == kept) continue;
    struct stat st {};
    const bool directory_too = lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    if (directory_too) empty(path, "");
    if (unlinkat(AT_FDCWD, path.c_str(), directory_too ? AT_REMOVEDIR : 0) != 0) continue;
  }
}

void file(const std::string& path, const std::string& content, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (write(fd, content.data(), content.size()) < 0) return;
  close(fd);
}

void copy(const std::string& from, const std::string& to) {
  std::string content(1 << 20, '\0');
  const int fd = open(from.c_str(), O_RDONLY);
  const ssize_t size = read(fd, content.data(), content.size());
  close(fd);
  if (size > 0) file(to, content.substr(0, static_cast<size_t>(size)), 0755);
}

int listener(const std::string& path, int type) {
  const int fd = socket(AF_UNIX, type, 0);
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const bool bound =
      bind(fd, reinterpret_cast<const struct sockaddr*>(&address), sizeof address) == 0;
  if (bound && type == SOCK_STREAM && listen(fd, 100) != 0) return -1;
  return fd;
}

void entries(const std::string& r, const std::string& o) {
  file(r + "/f", "#!/bin/sh\necho run $0 \"$@\"\nexit 3\n", 0755);
  file(r + "/sp ace", "space", 0644);
  file(r + "/new\nline", "line", 0600);
  file(r + "/per%41cent", "percent", 0644);
  file(r + "/\xff\xfe", "bytes", 0644);
  file(r + "/" + std::string(255, 'l'), "long", 0644);
  copy("/bin/echo", r + "/bin");
  mkdir((r + "/d").c_str(), 0755);
  mkdir((r + "/n").c_str(), 0755);
  mkdir((r + "/n/with").c_str(), 0755);
  file(r + "/n/with/deep", "deep", 0644);
  file(o + "/of", "outside", 0644);
  const std::pair<std::string, std::string> links[] = {
      {"f", r + "/lf"},        {"n", r + "/ld"}, {"nowhere", r + "/dangling"},
      {r + "/n", r + "/labs"}, {o, r + "/lout"}, {"loop", r + "/loop"}};
  for (const auto& [target, name] : links)
    if (symlink(target.c_str(), name.c_str()) != 0) continue;
  mkfifo((r + "/fifo").c_str(), 0644);
}

}  // namespace

void Fixture::build() {
  for (int* fd : {&pipe_, &stream_, &packets_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
  empty(places.base, places.root);
  for (const std::string& directory : {places.base, places.root, places.outside}) {
    mkdir(directory.c_str(), 0755);
    if (directory == places.root) empty(directory, "");
    if (chmod(directory.c_str(), 0755) != 0 || chown(directory.c_str(), getuid(), getgid()) != 0)
      continue;
    removexattr(directory.c_str(), "user.k");
    utimensat(AT_FDCWD, directory.c_str(), nullptr, 0);
  }
  entries(places.root, places.outside);
  pipe_ =
      open((places.root + "/fifo").c_str(), O_RDWR | O_NONBLOCK);  // nobody waits for the other end
  stream_ = listener(places.root + "/sock", SOCK_STREAM);
  packets_ = listener(places.root + "/packets", SOCK_DGRAM);
  everything(&outline_, &exact_);
}

bool Fixture::differs() const {
  std::string said, exact;
  everything(&said, &exact);
  return exact != exact_;
}

std::string Fixture::judge_and_mend() {
  std::string said, exact;
  everything(&said, &exact);
  touched_ = exact != exact_;
  const bool same = said == outline_;
  if (touched_) build();
  return same ? "same" : said;
}

}  // namespace calls
