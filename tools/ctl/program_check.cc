#include "tools/ctl/program_check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/layout.h"
#include "core/base/sys.h"
#include "core/util/display.h"
#include "core/util/fd.h"
#include "tools/ctl/paths.h"

namespace wbshim::ctl {
namespace {

constexpr int kMaxScripts = 5;  // as the kernel has it

// Names under the prefix, and what they are called where we can see them.
class Places {
 public:
  explicit Places(const Config& config)
      : prefix_(config.prefix()), tree_(config.in_staging(layout::kTree)) {}

  bool inside(const std::string& path) const {
    return !prefix_.empty() && path.compare(0, prefix_.size(), prefix_) == 0 &&
           (path.size() == prefix_.size() || path[prefix_.size()] == '/');
  }
  std::string visible(const std::string& path) const {
    return inside(path) ? tree_ + path.substr(prefix_.size()) : path;
  }
  // The prefix and the tree are one directory for the kernel; under the library they always are.
  bool real() const {
    struct stat a {
    }, b{};
    return sys::lstat(prefix_.c_str(), &a) == 0 && sys::lstat(tree_.c_str(), &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
  }
  const std::string& tree() const { return tree_; }

 private:
  std::string prefix_, tree_;
};

bool runnable(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && access(path.c_str(), X_OK) == 0;
}

// The full name of what `word` would run; empty: nothing.
std::string find(const Places& places, const std::string& word) {
  if (word.find('/') != std::string::npos)
    return word.front() == '/' ? word : working_directory() + "/" + word;
  const char* variable = getenv("PATH");
  const std::string path = variable != nullptr ? variable : "/bin:/usr/bin";
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find(':', from), path.size());
    std::string candidate = path.substr(from, end - from) + "/" + word;
    if (candidate.front() == '/' && candidate != "/" + word && runnable(places.visible(candidate)))
      return candidate;
    from = end + 1;
  }
  return {};
}

// "#!interpreter argument" of a script.
std::string interpreter_of(int fd) {
  char line[257] = {};
  if (pread(fd, line, sizeof line - 1, 0) < 3 || memcmp(line, "#!", 2) != 0) return {};
  const char* from = line + 2 + strspn(line + 2, " \t");
  return std::string(from, strcspn(from, " \t\n"));
}

bool other_user(int fd, const struct stat& st) {
  if ((st.st_mode & S_ISUID) && st.st_uid != geteuid()) return true;
  if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getegid()) return true;
  return geteuid() != 0 && fgetxattr(fd, "security.capability", nullptr, 0) > 0;
}

ProgramFacts look_at(const Places& places, const std::string& name) {
  ProgramFacts facts;
  facts.name = name;
  facts.inside = places.inside(name);
  const char* asan = getenv("ASAN_OPTIONS");
  facts.asan_order_off = asan != nullptr && strstr(asan, "verify_asan_link_order=0") != nullptr;
  const std::string path = places.visible(name);
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat st {};
  if (!fd || fstat(fd.get(), &st) != 0) {
    facts.trouble = std::string("cannot be read: ") + strerror(errno);
    return facts;
  }
  if (!S_ISREG(st.st_mode) || access(path.c_str(), X_OK) != 0) {
    facts.trouble = "is no program: it cannot be executed";
    return facts;
  }
  facts.script = interpreter_of(fd.get());
  if (!facts.script.empty()) return facts;  // the kernel gives a script nobody's rights
  facts.other_user = other_user(fd.get(), st);
  if (auto elf = read_elf(fd.get()))
    facts.elf = std::move(elf.value());
  else
    facts.trouble = elf.message();
  return facts;
}

uint16_t own_machine() {
  const Fd self(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const auto elf = self ? read_elf(self.get()) : Result<ElfFile>(Error{""});
  return elf ? elf.value().machine : uint16_t{0};
}

}  // namespace

Findings check_program(const Config& config, const std::string& word) {
  const Places places(config);
  std::string name = find(places, word);
  if (name.empty())
    return {{Level::Error, "program", printable(word) + ": not found in PATH", "name its path"}};
  const ProgramPlace place{config.prefix(), places.tree(), places.real(), own_machine()};
  Findings all;
  for (int level = 0; level < kMaxScripts && !name.empty(); level++) {
    const ProgramFacts facts = look_at(places, name);
    const Findings some = judge_program(facts, place);
    all.insert(all.end(), some.begin(), some.end());
    name = facts.script;
  }
  return all;
}

}  // namespace wbshim::ctl
