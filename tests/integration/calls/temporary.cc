// Names that libc makes up: their six random letters are said as "XXXXXX".
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

struct Template {
  std::string name;
  size_t random;  // where the six letters are

  Template(const char* path, const std::string& suffix)
      : name(path + std::string("XXXXXX") + suffix), random(strlen(path)) {}
  std::string masked() const {
    std::string said = name;
    const bool kept = said.compare(random, 6, "XXXXXX") == 0;
    return escaped(said.replace(random, 6, "XXXXXX")) + (kept ? " untouched" : " filled");
  }
};

std::string file(Template* t, int fd) {
  if (fd < 0) return status(fd) + " " + t->masked();
  struct stat st {
  }, named{};
  const int look = fstat(fd, &st);
  const int find = stat(t->name.c_str(), &named);
  const std::string same = st.st_ino == named.st_ino ? " the same " : " another ";
  const std::string said =
      t->masked() + " " + status(look) + " " + status(find) + same + describe(st);
  const ssize_t wrote = write(fd, "text", 4);
  return said + " " + status(wrote) + " " + status(close(fd)) + " " +
         status(unlink(t->name.c_str()));
}

void files(Table* table) {
  for (const char* name : {"mkstemp", "mkstemp64"})
    table->path(name, [=](const Argument& a) {
      if (!a.path) return std::string("no template");
      Template t(a.path, "");
      return file(&t, libc<int(char*)>(name)(t.name.data()));
    });
  for (const char* name : {"mkostemp", "mkostemp64"})
    table->path(name, [=](const Argument& a) {
      if (!a.path) return std::string("no template");
      Template t(a.path, "");
      return file(&t, libc<int(char*, int)>(name)(t.name.data(), O_APPEND));
    });
  for (const char* name : {"mkstemps", "mkstemps64"})
    for (const int suffix : {2, 3})  // the second is wrong
      table->path(std::string(name) + ":" + std::to_string(suffix), [=](const Argument& a) {
        if (!a.path) return std::string("no template");
        Template t(a.path, ".c");
        return file(&t, libc<int(char*, int)>(name)(t.name.data(), suffix));
      });
  for (const char* name : {"mkostemps", "mkostemps64"})
    table->path(name, [=](const Argument& a) {
      if (!a.path) return std::string("no template");
      Template t(a.path, ".c");
      return file(&t, libc<int(char*, int, int)>(name)(t.name.data(), 2, O_SYNC));
    });
}

void names(Table* table) {
  table->path("mkdtemp", [](const Argument& a) {
    if (!a.path) return std::string("no template");
    Template t(a.path, "");
    const char* found = libc<char*(char*)>("mkdtemp")(t.name.data());
    if (!found) return "null " + status(-1) + " " + t.masked();
    const std::string said = (found == t.name.data() ? "itself " : "another ") + t.masked();
    struct stat st {};
    const int look = stat(found, &st);
    return said + " " + status(look) + " " + describe(st) + " " + status(rmdir(found));
  });
  for (const char* name : {"mktemp", "__mktemp"})
    table->path(name, [=](const Argument& a) {
      if (!a.path) return std::string("no template");
      Template t(a.path, "");
      const char* found = libc<char*(char*)>(name)(t.name.data());
      if (found && !found[0]) return "empty " + status(-1);
      return (found == t.name.data() ? "itself " : "another ") + t.masked();
    });
  table->path("tempnam", [](const Argument& a) {
    char* found = libc<char*(const char*, const char*)>("tempnam")(a.path, "pre");
    if (!found) return "null " + status(-1);
    std::string name = found;
    free(found);
    if (name.size() > 6) name.replace(name.size() - 6, 6, "XXXXXX");
    return escaped(name);
  });
}

}  // namespace

void add_temporary(Table* table) {
  files(table);
  names(table);
}

}  // namespace calls
