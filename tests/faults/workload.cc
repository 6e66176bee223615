// workload SCRIPT LOG [LINE FD]: does what the lines of a script say, and logs each before and after, in a file of its own outside
// the prefix, so that it is known what was acknowledged whenever it is killed: "B <line>", then "A <line>" or "F <line> <errno>".
//
//   write P ID N    open, truncate, write, close           append P ID N   the same without the truncation
//   map P ID N      by a shared mapping that is closed     dup P ID N      ended by dup2 over the descriptor
//   stream P ID N   by stdio                               exec P ID N     half of it, exec of this program, the rest, close
//   left P ID N     not closed: the program's end does it  temp P ID N     O_TMPFILE and linkat
//   rename P Q, swap P Q (RENAME_EXCHANGE), unlink P, mkdir P, rmdir P, symlink TARGET P, chmod MODE P, truncate P N
//   rest MS         does nothing for so long
//
// ID and N are the content: N bytes of the 7 digits of ID and a line feed, again and again. No spaces in names.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Program {
  char* name;
  char* script;
  char* log;
  int log_fd = -1;
};

struct Line {
  std::string act, one, two, three;
};

long number(const char* text) {
  return strtol(text, nullptr, 10);
}

void note(const Program& program, char what, size_t line, int error = 0) {
  std::string text = what + (" " + std::to_string(line));
  if (what == 'F') text += " " + std::to_string(error);
  text += "\n";
  if (write(program.log_fd, text.data(), text.size()) < 0) _exit(3);
}

std::string content(const Line& line) {
  char digits[32];
  (void)snprintf(digits, sizeof digits, "%07ld\n", number(line.two.c_str()));
  std::string bytes;
  auto n = static_cast<size_t>(number(line.three.c_str()));
  while (bytes.size() < n) bytes += digits;
  bytes.resize(n);
  return bytes;
}

bool put(int fd, const std::string& bytes, size_t from, size_t to) {
  while (from < to) {
    ssize_t n = write(fd, bytes.data() + from, to - from);
    if (n < 0) return false;
    from += static_cast<size_t>(n);
  }
  return true;
}

int to_write(const Line& line, int flags) {
  return open(line.one.c_str(), O_WRONLY | O_CREAT | flags, 0644);
}

bool write_file(const Line& line, int flags) {
  std::string bytes = content(line);
  int fd = to_write(line, flags);
  if (fd < 0) return false;
  bool whole = put(fd, bytes, 0, bytes.size());
  return close(fd) == 0 && whole;
}

bool map_file(const Line& line) {
  std::string bytes = content(line);
  int fd = open(line.one.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || ftruncate(fd, static_cast<off_t>(bytes.size())) != 0) return false;
  void* at = mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return false;
  memcpy(at, bytes.data(), bytes.size());
  munmap(at, bytes.size());
  return close(fd) == 0;
}

bool end_by_dup(const Line& line) {
  std::string bytes = content(line);
  int fd = to_write(line, O_TRUNC), null = open("/dev/null", O_WRONLY);
  bool done = fd >= 0 && put(fd, bytes, 0, bytes.size()) && dup2(null, fd) == fd;
  close(null);
  if (fd >= 0) close(fd);
  return done;
}

bool write_stream(const Line& line) {
  std::string bytes = content(line);
  FILE* file = fopen(line.one.c_str(), "w");
  if (!file) return false;
  bool whole = fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return fclose(file) == 0 && whole;
}

bool link_temporary(const Line& line) {
  std::string bytes = content(line);
  std::string parent = line.one.substr(0, line.one.rfind('/'));
  int fd = open(parent.c_str(), O_TMPFILE | O_WRONLY, 0644);
  if (fd < 0 || !put(fd, bytes, 0, bytes.size())) return false;
  std::string self = "/proc/self/fd/" + std::to_string(fd);
  bool linked = linkat(AT_FDCWD, self.c_str(), AT_FDCWD, line.one.c_str(), AT_SYMLINK_FOLLOW) == 0;
  int error = errno;
  close(fd);
  errno = error;
  return linked;
}

// Does not come back, unless something failed: the next image goes on with the line.
bool write_across_exec(const Program& program, const Line& line, size_t at_line) {
  std::string bytes = content(line);
  int fd = to_write(line, O_TRUNC);
  if (fd < 0 || !put(fd, bytes, 0, bytes.size() / 2)) return false;
  std::string at = std::to_string(at_line), held = std::to_string(fd);
  char* const argv[] = {program.name, program.script, program.log, at.data(), held.data(), nullptr};
  execv(program.name, argv);
  return false;
}

bool finish_after_exec(const Line& line, int fd) {
  std::string bytes = content(line);
  bool whole = put(fd, bytes, bytes.size() / 2, bytes.size());
  return close(fd) == 0 && whole;
}

bool act(const Program& program, const Line& line, size_t at_line) {
  const char* one = line.one.c_str();
  const char* two = line.two.c_str();
  if (line.act == "write") return write_file(line, O_TRUNC);
  if (line.act == "append") return write_file(line, O_APPEND);
  if (line.act == "map") return map_file(line);
  if (line.act == "dup") return end_by_dup(line);
  if (line.act == "stream") return write_stream(line);
  if (line.act == "temp") return link_temporary(line);
  if (line.act == "exec") return write_across_exec(program, line, at_line);
  if (line.act == "rename") return rename(one, two) == 0;
  if (line.act == "swap") return renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE) == 0;
  if (line.act == "unlink") return unlink(one) == 0;
  if (line.act == "mkdir") return mkdir(one, 0755) == 0;
  if (line.act == "rmdir") return rmdir(one) == 0;
  if (line.act == "symlink") return symlink(one, two) == 0;
  if (line.act == "chmod") return chmod(two, static_cast<mode_t>(strtol(one, nullptr, 8))) == 0;
  if (line.act == "truncate") return truncate(one, number(two)) == 0;
  if (line.act == "rest") return usleep(static_cast<useconds_t>(number(one)) * 1000) == 0;
  if (line.act == "left") {
    std::string bytes = content(line);
    int fd = to_write(line, O_TRUNC);
    return fd >= 0 && put(fd, bytes, 0, bytes.size());
  }
  errno = ENOSYS;
  return false;
}

std::vector<Line> read_script(const char* name) {
  std::vector<Line> lines;
  std::ifstream file(name);
  for (std::string text; std::getline(file, text);) {
    std::istringstream words(text);
    Line& line = lines.emplace_back();
    words >> line.act >> line.one >> line.two >> line.three;
  }
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) return 2;
  Program program{argv[0], argv[1], argv[2]};
  program.log_fd = open(program.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (program.log_fd < 0) return 2;
  std::vector<Line> lines = read_script(program.script);
  size_t begin = 0;
  if (argc == 5) {
    begin = static_cast<size_t>(number(argv[3]));
    bool done = finish_after_exec(lines[begin], static_cast<int>(number(argv[4])));
    note(program, done ? 'A' : 'F', begin, errno);
    begin++;
  }
  for (size_t i = begin; i < lines.size(); i++) {
    note(program, 'B', i);
    errno = 0;
    bool done = act(program, lines[i], i);
    note(program, done ? 'A' : 'F', i, errno);
  }
  return 0;
}
