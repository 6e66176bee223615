// walks ROOT: reads one walk a line and tells everything that ftw, nftw or fts told it, with ROOT
// written as "@". tests/integration/walks.py compares what libc says of a plain directory with what
// the library says of the same one below the prefix.
//
//   drop                             ROOT's owner may be root: give up the right to read everything
//   cd PATH
//   ftw SUFFIX OPEN SEED PATH        SUFFIX: "-", or "64"
//   nftw SUFFIX OPEN FLAGS SEED PATH
//   fts SUFFIX OPTIONS ORDER SEED PATH…
//   together PATH…                   twenty walks of each at once, by fts
//   remove nftw|fts PATH             the tree, by a walk
//   throw PATH                       out of a callback
// SEED 0: only look. Else names decide, by their hash, what a callback answers and what is asked of
// fts.
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fts.h>
#include <ftw.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

std::string root;
unsigned seed = 0;
int flags = 0;
int visits = 0;

std::string shown(const std::string& path) {
  const bool below = path.rfind(root, 0) == 0;
  return below ? "@" + path.substr(root.size()) : path;
}

// How much of the path is not shown.
int hidden(const std::string& path) {
  return static_cast<int>(path.size() - shown(path).size());
}

std::string spelled(const std::string& path) {
  return path[0] == '@' ? root + path.substr(1) : path;
}

unsigned chance(const std::string& name, unsigned among) {
  unsigned hash = seed * 2654435761U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return (hash >> 7) % among;
}

template <typename Function>
Function found(const std::string& name) {
  void* at = dlsym(RTLD_DEFAULT, name.c_str());
  if (!at) throw std::runtime_error("libc has no " + name);
  return reinterpret_cast<Function>(at);
}

// reached: what leads to it from here.
void tell_stat(const struct stat& st, const char* path, const char* reached) {
  printf(" ino=%lu dev=%lu mode=%o nlink=%lu", st.st_ino, st.st_dev, st.st_mode, st.st_nlink);
  if (!S_ISLNK(st.st_mode)) {
    printf(" size=%ld", st.st_size);
    return;
  }
  // What readlink() says, and the size, are both of the virtual target.
  char target[4096];
  const ssize_t n = reached ? readlink(reached, target, sizeof target - 1) : -1;
  if (n < 0) return;
  target[n] = '\0';
  if (shown(path)[0] == '@') printf(" target=%s", shown(target).c_str());
  printf(" size=%s", n == st.st_size ? "right" : "WRONG");
}

// --- ftw, nftw

int on_file(const char* path, const struct stat* st, int type) {
  printf("%s type=%d", shown(path).c_str(), type);
  if (type != FTW_NS) tell_stat(*st, path, nullptr);
  printf("\n");
  return seed != 0 && chance(shown(path), 29) == 0 ? 5 : 0;
}

int answer(const std::string& name) {
  if (seed == 0) return 0;
  if (!(flags & FTW_ACTIONRETVAL)) return chance(name, 97) == 0 ? 6 : 0;
  switch (chance(name, 60)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return FTW_SKIP_SUBTREE;
    case 5:
    case 6:
    case 7:
      return FTW_SKIP_SIBLINGS;
    case 8:
      return FTW_STOP;
    case 9:
      return -1;
    case 10:
      return 7;
    default:
      return FTW_CONTINUE;
  }
}

int on_node(const char* path, const struct stat* st, int type, struct FTW* where) {
  const bool last = std::string(path).rfind('/') + 1 == static_cast<size_t>(where->base);
  printf("%s type=%d base=%s level=%d", shown(path).c_str(), type, last ? "last" : "WRONG",
         where->level);
  const bool here = flags & FTW_CHDIR;
  const char* reached = here ? path + where->base : path;
  if (here) {
    char directory[8192];
    const char* known = getcwd(directory, sizeof directory);
    printf(" cwd=%s", known ? shown(known).c_str() : strerror(errno));
  }
  if (type != FTW_NS) tell_stat(*st, path, reached);
  struct stat again;
  printf(" again=%lu\n", type != FTW_DP && lstat(reached, &again) == 0 ? again.st_ino : 0);
  visits++;
  return answer((type == FTW_DP ? "DP" : "") + std::string(path + where->base));
}

void end(int result) {
  const int error = errno;
  char directory[8192];
  const char* known = getcwd(directory, sizeof directory);
  printf("= %d %s cwd=%s\n", result, result == -1 ? strerrorname_np(error) : "",
         known ? shown(known).c_str() : "?");
}

void walk_files(std::istream& words) {
  std::string suffix, path;
  int open = 0;
  words >> suffix >> open >> seed >> path;
  using Ftw = int (*)(const char*, int (*)(const char*, const struct stat*, int), int);
  errno = 0;
  end(found<Ftw>(suffix == "-" ? "ftw" : "ftw64")(spelled(path).c_str(), on_file, open));
}

void walk_nodes(std::istream& words) {
  std::string suffix, path;
  int open = 0;
  words >> suffix >> open >> flags >> seed >> path;
  using Nftw =
      int (*)(const char*, int (*)(const char*, const struct stat*, int, struct FTW*), int, int);
  errno = 0;
  end(found<Nftw>(suffix == "-" ? "nftw" : "nftw64")(spelled(path).c_str(), on_node, open, flags));
}

// --- fts

using Compare = int (*)(const FTSENT**, const FTSENT**);

int by_name(const FTSENT** a, const FTSENT** b) {
  return strcmp((*a)->fts_name, (*b)->fts_name);
}
int by_kind(const FTSENT** a, const FTSENT** b) {
  return static_cast<int>((*b)->fts_info) - static_cast<int>((*a)->fts_info);
}
int all_equal(const FTSENT**, const FTSENT**) {
  return 0;
}
constexpr Compare kOrders[] = {nullptr, by_name, by_kind, all_equal};

struct Calls {
  FTS* (*open)(char* const*, int, Compare);
  FTSENT* (*read)(FTS*);
  FTSENT* (*children)(FTS*, int);
  int (*set)(FTS*, FTSENT*, int);
  int (*close)(FTS*);
  explicit Calls(const std::string& suffix) {
    const std::string name = suffix == "-" ? "fts_" : "fts64_";
    open = found<decltype(open)>(name + "open");
    read = found<decltype(read)>(name + "read");
    children = found<decltype(children)>(name + "children");
    set = found<decltype(set)>(name + "set");
    close = found<decltype(close)>(name + "close");
  }
};

// libc leaves a slash behind the path of a directory that fts_children() has read, and takes one
// away from a root that is empty.
std::string path_of(const FTSENT* e) {
  std::string path = std::string(e->fts_path).substr(0, e->fts_pathlen);
  while (e->fts_level == FTS_ROOTLEVEL && path.size() > 1 && path.back() == '/') path.pop_back();
  return shown(path);
}

void tell_entry(const FTSENT* e) {
  printf("%s name=%s info=%d level=%d errno=%d pathlen=%d namelen=%d", path_of(e).c_str(),
         shown(e->fts_name).c_str(), e->fts_info, e->fts_level, e->fts_errno,
         e->fts_pathlen - hidden(e->fts_path), e->fts_namelen);
  printf(" number=%ld pointer=%d parent=%s:%d", e->fts_number, e->fts_pointer != nullptr,
         e->fts_parent->fts_name, e->fts_parent->fts_level);
  if (e->fts_info == FTS_DC)
    printf(" cycle=%s:%d", e->fts_cycle->fts_name, e->fts_cycle->fts_level);
  if (e->fts_info == FTS_D || e->fts_info == FTS_DP || e->fts_info == FTS_DC)
    printf(" dino=%lu ddev=%lu dnlink=%lu", e->fts_ino, e->fts_dev, e->fts_nlink);
  if (flags & FTS_NOCHDIR) printf(" accpath=%s", e->fts_accpath == e->fts_path ? "path" : "other");
  if (e->fts_info != FTS_NS && e->fts_info != FTS_NSOK && !(flags & FTS_NOSTAT))
    tell_stat(*e->fts_statp, e->fts_path, e->fts_accpath);
  // Only the first time, for the slash that libc may leave there.
  struct stat again;
  const bool reached = e->fts_number == 0 && lstat(e->fts_accpath, &again) == 0;
  printf(" again=%lu\n", reached ? again.st_ino : 0);
}

// Where libc's fts_children() does not find its way back from, and stops.
bool followed(const FTSENT* e) {
  struct stat st;
  return !(flags & (FTS_NOCHDIR | FTS_LOGICAL)) && e->fts_level > 0 && e->fts_info == FTS_D &&
         lstat(e->fts_accpath, &st) == 0 && S_ISLNK(st.st_mode);
}

// libc changes into a directory to see that it is empty, and back by "..", which behind a followed
// link is another directory: it ends the walk there.
bool may_follow(const FTSENT* e) {
  if (flags & FTS_NOCHDIR) return true;
  DIR* directory = opendir(e->fts_accpath);
  if (!directory) return errno == ENOTDIR || errno == ENOENT;
  int entries = 0;
  while (readdir(directory)) entries++;
  closedir(directory);
  return entries > 2;
}

bool ask_children(const Calls& fts, FTS* walk, const std::string& name) {
  const unsigned what = chance(name + "/", 12);
  if (seed == 0 || what > 3) return false;
  // Without FTS_NOCHDIR, FTS_NOSTAT lets libc list what it may not enter, and then name it wrongly.
  const bool names = what % 2 || (flags & (FTS_NOSTAT | FTS_NOCHDIR)) == FTS_NOSTAT;
  FTSENT* first = fts.children(walk, names ? FTS_NAMEONLY : 0);
  if (!first) printf("  no children errno=%d\n", errno);
  for (FTSENT* e = first; e; e = e->fts_link) {
    printf("  child %s info=%d level=%d pathlen=%d\n", shown(e->fts_name).c_str(), e->fts_info,
           e->fts_level, e->fts_level > 0 ? e->fts_pathlen - hidden(e->fts_path) : 0);
    const unsigned order = chance(shown(e->fts_name), 8);
    if (order == 0) fts.set(walk, e, FTS_SKIP);
    // libc follows a child with the path of the entry before it when it stays in one directory.
    if (order == 1 && !(flags & (FTS_XDEV | FTS_NOCHDIR | FTS_LOGICAL)) && may_follow(e))
      fts.set(walk, e, FTS_FOLLOW);
  }
  return true;
}

void give_orders(const Calls& fts, FTS* walk, FTSENT* e, bool again) {
  if (seed == 0 || ++visits > 2000) return;
  const unsigned order = chance(std::string(e->fts_name) + "!" + std::to_string(e->fts_info), 14);
  if (order == 0 && again && e->fts_number < 2) fts.set(walk, e, FTS_AGAIN);
  // libc takes a root's device for FTS_XDEV from memory that it never wrote when that was a link.
  if (order == 1 && !(flags & FTS_XDEV) && may_follow(e)) fts.set(walk, e, FTS_FOLLOW);
  if (order == 2) fts.set(walk, e, FTS_SKIP);
  if (order == 3) fts.set(walk, e, FTS_NOINSTR);
  if (order == 4) {
    const int result = fts.set(walk, e, 77);
    printf("  wrong order: %d %s\n", result, strerrorname_np(errno));
  }
}

void walk_entries(std::istream& words) {
  std::string suffix, path;
  size_t order = 0;
  words >> suffix >> flags >> order >> seed;
  std::vector<std::string> paths;
  while (words >> path) paths.push_back(path == "''" ? "" : spelled(path));
  std::vector<char*> list;
  list.reserve(paths.size() + 1);
  for (std::string& each : paths) list.push_back(each.data());
  list.push_back(nullptr);
  const Calls fts(suffix);
  errno = 0;
  FTS* walk = fts.open(list.data(), flags, kOrders[order]);
  if (!walk) return end(-1);
  ask_children(fts, walk, "before");
  visits = 0;
  while (FTSENT* e = fts.read(walk)) {
    tell_entry(e);
    e->fts_number++;
    e->fts_pointer = e;
    const bool asks = !followed(e) && (e->fts_info == FTS_D || chance(e->fts_name, 30) == 0);
    const bool asked = asks && ask_children(fts, walk, e->fts_name);
    // Where libc left a slash behind a link, it looks again at what is behind that.
    give_orders(fts, walk, e, !asked || !(flags & FTS_NOCHDIR));
    if (seed != 0 && chance(e->fts_name, 200) == 3) break;
  }
  printf("errno=%d\n", seed ? 0 : errno);
  end(fts.close(walk));
}

// Many walks at once, some of them under the prefix and some not.
void walk_together(std::istream& words) {
  std::string path;
  std::vector<FTS*> walks;
  const Calls fts("64");
  while (words >> path) {
    path = spelled(path);
    char* list[] = {path.data(), nullptr};
    for (int i = 0; i < 20; i++)
      walks.push_back(fts.open(list, FTS_PHYSICAL | FTS_NOCHDIR, by_name));
  }
  for (bool some = true; some;) {
    some = false;
    for (FTS*& walk : walks) {
      FTSENT* e = walk ? fts.read(walk) : nullptr;
      if (e) {
        printf("%s %d\n", shown(e->fts_path).c_str(), e->fts_info);
        some = true;
      } else if (walk) {
        printf("close %d\n", fts.close(walk));
        walk = nullptr;
      }
    }
  }
}

// --- others

int throw_something(const char* path, const struct stat*, int, struct FTW* where) {
  if (where->level < 2) return 0;
  throw std::runtime_error(shown(path));
}

// A C++ program's exception passes through the walk. What that had open stays so.
void throw_through(std::istream& words) {
  std::string path;
  words >> path;
  try {
    nftw(spelled(path).c_str(), throw_something, 5, FTW_PHYS);
  } catch (const std::exception& e) {
    printf("caught at %s\n", e.what());
  }
}

int remove_node(const char* path, const struct stat*, int, struct FTW*) {
  return remove(path);
}

void remove_tree(std::istream& words) {
  std::string how, path;
  words >> how >> path;
  path = spelled(path);
  if (how == "nftw") return end(nftw(path.c_str(), remove_node, 3, FTW_DEPTH | FTW_PHYS));
  char* list[] = {path.data(), nullptr};
  FTS* walk = fts_open(list, FTS_PHYSICAL, nullptr);
  if (!walk) return end(-1);
  while (FTSENT* e = fts_read(walk)) {
    if (e->fts_info != FTS_D && remove(e->fts_accpath) != 0) return end(-1);
  }
  end(fts_close(walk));
}

void drop_rights() {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capset, &header, data) != 0) throw std::runtime_error("capset");
}

size_t descriptors() {
  size_t count = 0;
  DIR* dir = opendir("/proc/self/fd");
  while (dir && readdir(dir)) count++;
  if (dir) closedir(dir);
  return count;
}

void run(const std::string& line) {
  std::istringstream words(line);
  std::string what, path;
  words >> what;
  printf("# %s\n", line.c_str());
  const size_t before = descriptors();
  if (what == "drop") drop_rights();
  if (what == "cd" && words >> path && chdir(spelled(path).c_str()) != 0)
    throw std::runtime_error("cd " + path);
  if (what == "ftw") walk_files(words);
  if (what == "nftw") walk_nodes(words);
  if (what == "fts") walk_entries(words);
  if (what == "remove") remove_tree(words);
  if (what == "together") walk_together(words);
  if (what == "throw") throw_through(words);
  if (descriptors() != before) printf("DESCRIPTORS LEFT\n");
}

}  // namespace

int main(int, char** argv) try {
  root = argv[1];
  for (std::string line; std::getline(std::cin, line);) run(line);
  return 0;
} catch (const std::exception& e) {
  fprintf(stderr, "walks: %s\n", e.what());
  return 1;
}
