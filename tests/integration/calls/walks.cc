// Walks through trees. walks.py looks at them more closely; here it is the start that varies.
#include <fts.h>
#include <ftw.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "call.h"

namespace calls {
namespace {

std::vector<std::string> visited;  // the functions hand no context on

std::string all(const std::string& result) {
  std::sort(visited.begin(), visited.end());
  std::string said = result;
  for (const std::string& name : visited) said += " " + name;
  visited.clear();
  return said;
}

int visit_file(const char* path, const struct stat*, int type) {
  visited.push_back(escaped(path) + "|" + std::to_string(type));
  return 0;
}

int visit_node(const char* path, const struct stat*, int type, struct FTW* at) {
  visited.push_back(escaped(path) + "|" + std::to_string(type) + "|" + std::to_string(at->base) +
                    "|" + std::to_string(at->level));
  return 0;
}

void callbacks(Table* table) {
  for (const char* name : {"ftw", "ftw64"})
    table->path(name, [=](const Argument& a) {
      const int result =
          libc<int(const char*, decltype(&visit_file), int)>(name)(a.path, visit_file, 8);
      return all(status(result));
    });
  for (const char* name : {"nftw", "nftw64"})
    for (const int flags : {0, int{FTW_PHYS}, int{FTW_DEPTH} | int{FTW_PHYS} | int{FTW_CHDIR}})
      table->path(std::string(name) + ":" + std::to_string(flags), [=](const Argument& a) {
        const int result = libc<int(const char*, decltype(&visit_node), int, int)>(name)(
            a.path, visit_node, 8, flags);
        return all(status(result));
      });
}

std::string node(const FTSENT* entry) {
  return escaped(entry->fts_path) + "|" + std::to_string(entry->fts_info) + "|" +
         std::to_string(entry->fts_level) + "|" + std::to_string(entry->fts_errno);
}

std::string walk(const std::string& prefix, const char* path, int options, bool children) {
  char* paths[] = {const_cast<char*>(path), nullptr};
  FTS* tree = libc<FTS*(char* const*, int, int (*)(const FTSENT**, const FTSENT**))>(
      prefix + "_open")(paths, options, nullptr);
  if (!tree) return "null " + status(-1);
  while (FTSENT* entry = libc<FTSENT*(FTS*)>(prefix + "_read")(tree)) {
    visited.push_back(node(entry));
    if (children && entry->fts_info == FTS_D) {
      for (FTSENT* child = libc<FTSENT*(FTS*, int)>(prefix + "_children")(tree, 0); child;
           child = child->fts_link)
        visited.push_back("child " + escaped(child->fts_name));
      const int set = libc<int(FTS*, FTSENT*, int)>(prefix + "_set")(
          tree, entry, entry->fts_level > 0 ? FTS_SKIP : 0);
      visited.push_back("set " + status(set));
    }
  }
  const std::string end = status(errno ? -1 : 0);
  return all(end) + " close " + status(libc<int(FTS*)>(prefix + "_close")(tree));
}

void nodes(Table* table) {
  for (const char* prefix : {"fts", "fts64"}) {
    for (const char* part : {"_open", "_read", "_close"})
      for (const int options :
           {FTS_PHYSICAL, FTS_LOGICAL, FTS_PHYSICAL | FTS_NOCHDIR, FTS_COMFOLLOW | FTS_PHYSICAL})
        if (part == std::string("_open") || options == FTS_PHYSICAL)
          table->path(std::string(prefix) + part + ":" + std::to_string(options),
                      [=](const Argument& a) { return walk(prefix, a.path, options, false); });
    for (const char* part : {"_children", "_set"})
      table->path(std::string(prefix) + part,
                  [=](const Argument& a) { return walk(prefix, a.path, FTS_PHYSICAL, true); });
  }
}

}  // namespace

void add_walks(Table* table) {
  callbacks(table);
  nodes(table);
}

}  // namespace calls
