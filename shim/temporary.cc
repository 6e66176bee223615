// Names that libc makes up: the caller's template is filled in as if its path were a real one.
#include "shim/calls.h"
#include "shim/libc_heap.h"

namespace wbshim {
namespace {

// What libc wants to see at the end of a template.
constexpr char kLetters[] = {'X', 'X', 'X', 'X', 'X', 'X'};

// Calls `make` on a translated copy of the template and copies what it filled in back into the
// caller's.
template <typename Make>
auto with_template(char* name, int suffix, Make make)
    -> decltype(make(name, static_cast<const Mapped*>(nullptr))) {
  Mapped m(name);
  using Result = decltype(make(name, static_cast<const Mapped*>(nullptr)));
  if (!m.ok()) return failure<Result>();
  size_t tail = 6 + static_cast<size_t>(suffix > 0 ? suffix : 0);
  if (m.path() == name) {
    Result result = make(name, &m);
    if (!failed(result) || errno != ENOENT || !m.redirect()) return result;
    // libc has put letters in the template already.
    if (size_t given = strlen(name); given >= tail)
      memcpy(name + given - tail, kLetters, sizeof kLetters);
  }
  Scratch room;
  size_t n = strlen(m.path());
  char* copy = room.reserve(n + 1);
  if (!copy) {
    errno = ENAMETOOLONG;
    return failure<Result>();
  }
  memcpy(copy, m.path(), n + 1);
  size_t given = strlen(name);
  if (given >= tail && n >= tail) memcpy(copy + n - tail, name + given - tail, tail);
  Result result = make(copy, &m);
  if (given >= tail && n >= tail) memcpy(name + given - tail, copy + n - tail, tail);
  return result;
}

// As with_room(): libc takes the template only with its X's, and has put letters there by then.
template <typename Make>
auto again_from_template(const Mapped& m, char* at, int suffix, Make make) -> decltype(make()) {
  bool again = false;
  size_t n = strlen(at), tail = 6 + static_cast<size_t>(suffix > 0 ? suffix : 0);
  return with_room(m, [&] {
    if (again && n >= tail) memcpy(at + n - tail, kLetters, sizeof kLetters);
    again = true;
    return make();
  });
}

}  // namespace

int make_temporary(char* name, int suffix, int (*real)(char*, int, int), int flags) {
  return with_template(name, suffix, [&](char* at, const Mapped* m) {
    if (settings.on && m->inside()) room::before_open();
    int fd = again_from_template(*m, at, suffix, [&] { return real(at, suffix, flags); });
    if (fd >= 0 && settings.on && m->inside()) {
      int saved = errno;
      descriptors::opened(fd, true, {});
      client::page().add(Counter::StagingCreates);
      if (descriptors::writes(descriptors::mark(fd))) room::opened();
      errno = saved;
    }
    return fd;
  });
}

char* make_temporary_directory(char* name) {
  bool inside = false;
  char* made = with_template(name, 0, [&](char* at, const Mapped* m) -> char* {
    inside = m->inside();
    return again_from_template(*m, at, 0, [&] { return NEXT(mkdtemp)(at); });
  });
  // By the caller's name: the translated one may hold "." and "..".
  if (made && inside) changed(Mapped(name));
  return made ? name : nullptr;
}

char* make_name(char* name, char* (*real)(char*)) {
  int made = with_template(name, 0, [=](char* at, const Mapped*) { return real(at)[0] ? 0 : -1; });
  if (made < 0) name[0] = '\0';  // libc's word for failure
  return name;
}

// libc's looks for the directory itself; where its choice lies under the prefix, ours makes the
// name.
char* name_temporary(const char* directory, const char* prefix) {
  const char* wanted = nullptr;
  for (char** e = environ; e && *e; e++) {
    if (strncmp(*e, "TMPDIR=", 7) == 0) wanted = *e + 7;
  }
  auto usable = [](const char* path) {
    struct stat st {};
    return path && pointers::path(path) && path[0] &&
           on_path(path, [&](const char* p) { return NEXT(stat)(p, &st); }) == 0 &&
           S_ISDIR(st.st_mode);
  };
  int saved = errno;
  for (const char* each : {wanted, directory, P_tmpdir}) {
    if (!settings.on || !usable(each)) continue;
    Mapped m(each);
    if (!m.inside() && m.path() == each) break;
    size_t n = strlen(each);
    while (n > 1 && each[n - 1] == '/') n--;
    size_t given = prefix && prefix[0] ? strnlen(prefix, 5) : 4;
    char* name = static_cast<char*>(libc_heap::take(n + given + 8));
    if (!name) return nullptr;
    Text text(name, n + given + 8);
    text.add(Bytes(each, n))
        .add('/')
        .add(Bytes(prefix && prefix[0] ? prefix : "file", given))
        .add("XXXXXX");
    errno = saved;
    make_name(name, NEXT(mktemp));
    if (name[0] != '\0') return name;
    libc_heap::give(name);
    return nullptr;
  }
  errno = saved;
  return NEXT(tempnam)(directory, prefix);
}

}  // namespace wbshim
