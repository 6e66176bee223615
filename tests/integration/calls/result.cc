// How results are said.
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"

namespace calls {

Places places;

std::string status(long result) {
  const int error = errno;
  if (result != -1) return std::to_string(result);
  const char* name = strerrorname_np(error);
  return std::string("-1 ") + (name ? name : "?");
}

std::string escaped(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    char hex[8];
    snprintf(hex, sizeof hex, "\\x%02x", byte);
    out += byte < 32 || byte > 126 || c == '\\' ? hex : std::string(1, c);
  }
  return out;
}

std::string text(const char* found) {
  return found ? "\"" + escaped(found) + "\"" : "null";
}

std::string describe(const struct stat& st) {
  const char* types[] = {"?", "fifo", "char", "?",    "dir", "?",    "block",
                         "?", "file", "?",    "link", "?",   "sock", "?"};
  char line[120];
  const bool directory = S_ISDIR(st.st_mode);  // its size and links depend on what else is there
  snprintf(line, sizeof line, "%s %o size %ld links %lu owner %u:%u",
           types[(st.st_mode >> 12) % 14], st.st_mode & 07777,
           directory ? 0 : static_cast<long>(st.st_size),
           directory ? 0 : static_cast<unsigned long>(st.st_nlink), st.st_uid, st.st_gid);
  return line + (st.st_mtime < 1000000000 ? " old " + std::to_string(st.st_mtime) : std::string());
}

std::string process_link(const std::string& name) {
  char to[5000];
  const ssize_t size = readlink(("/proc/self/" + name).c_str(), to, sizeof to);
  if (size < 0) return status(size);
  std::string found(to, static_cast<size_t>(size));
  // A file without a name is called after its inode.
  const size_t inode = found.find("/#");
  return escaped(inode == std::string::npos ? found : found.substr(0, inode) + "/#");
}

std::string opened(int fd) {
  if (fd < 0) return status(fd);
  struct stat st {};
  fstat(fd, &st);
  std::string said = "fd " + process_link("fd/" + std::to_string(fd)) + " " + describe(st);
  const int flags = fcntl(fd, F_GETFL);
  char content[32];
  if (S_ISREG(st.st_mode) && !(flags & O_PATH)) {
    const ssize_t size = pread(fd, content, sizeof content, 0);
    said += " reads " + (size < 0 ? status(size) : escaped({content, static_cast<size_t>(size)}));
    if ((flags & O_ACCMODE) != O_RDONLY) said += " writes " + status(write(fd, "more", 4));
  }
  return said + " close " + status(close(fd));
}

std::string opened(FILE* stream, const std::string& close) {
  if (!stream) return "null " + status(-1);
  const int fd = fileno(stream);
  struct stat st {};
  fstat(fd, &st);
  std::string said = "stream " + process_link("fd/" + std::to_string(fd)) + " " + describe(st);
  if (S_ISREG(st.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) fputs("stream", stream);
  return said + " close " + status(libc<int(FILE*)>(close)(stream));
}

std::string ended(int wait_status) {
  return WIFSIGNALED(wait_status) ? "signal " + std::to_string(WTERMSIG(wait_status))
                                  : "exit " + std::to_string(WEXITSTATUS(wait_status));
}

std::string output_of(const std::function<void()>& body) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    body();
    _exit(99);
  }
  close(ends[1]);
  std::string out;
  char part[4096];
  for (ssize_t n = 0; (n = read(ends[0], part, sizeof part)) > 0;)
    out.append(part, static_cast<size_t>(n));
  close(ends[0]);
  int how = 0;
  waitpid(child, &how, 0);
  return ended(how) + " \"" + escaped(out) + "\"";
}

std::string in_child(const std::function<std::string()>& body) {
  return output_of([&] {
    const std::string said = body();
    if (write(1, said.data(), said.size()) < 0) _exit(98);
    _exit(0);
  });
}

}  // namespace calls
