// The path engine against a model of it in plain strings: where a path leads by text, whether that
// is under the prefix, and that its two names belong to each other.
#include "shim/paths.h"

#include <memory>
#include <vector>

#include "tests/fuzz/fuzz.h"

using namespace wbshim;
using fuzz::demand;

namespace {

std::vector<std::string> cleaned(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    at = end + 1;
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (part.empty() || part == "." || part == "..") continue;
    parts.push_back(part);
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts, bool slash) {
  std::string path;
  for (const std::string& part : parts) path += "/" + part;
  if (path.empty()) return "/";
  return slash ? path + "/" : path;
}

bool under(const std::string& root, const std::string& path) {
  return path.compare(0, root.size(), root) == 0 &&
         (path.size() == root.size() || path[root.size()] == '/');
}

Bytes as_bytes(const std::string& text) {
  return Bytes(text.data(), text.size());
}

std::string text_of(const Text& text) {
  return std::string(text.c_str(), text.size());
}

struct Names {
  std::string prefix, tree;
  paths::Roots roots() const { return {as_bytes(prefix), as_bytes(tree)}; }
};

// Room of exactly that size, so that a byte too far is seen.
struct Room {
  explicit Room(size_t n) : at(new char[n]), text(at.get(), n) {}
  std::unique_ptr<char[]> at;
  Text text;
};

void check_inside(const Names& names, const std::string& path) {
  Room tree(path.size() + names.tree.size() + 1), back(path.size() + names.prefix.size() + 8);
  demand(paths::to_tree(names.roots(), as_bytes(path), &tree.text),
         "a path inside has a tree name");
  const std::string name = text_of(tree.text);
  demand(under(names.tree, joined(cleaned(name), false)), "a tree name never leaves the tree");
  demand(paths::to_virtual(names.roots(), as_bytes(name), &back.text),
         "a tree name has a virtual one");
  demand(text_of(back.text) == path, "the way back from the tree leads to the same path");
}

void check_place(const Names& names, const std::string& path) {
  const std::string real = joined(cleaned(path), false);
  switch (paths::place(names.roots(), path.c_str())) {
    case paths::Place::Inside:
      demand(under(names.prefix, real), "inside is under the prefix");
      return check_inside(names, path);
    case paths::Place::Outside:
      demand(!under(names.prefix, real), "outside is not under the prefix");
      return;
    case paths::Place::Tangled:
      break;
  }
  Room clean(path.size() + 2);
  demand(paths::clean({}, as_bytes(path), &clean.text), "a tangled path can be cleaned");
  demand(paths::place(names.roots(), clean.text.c_str()) != paths::Place::Tangled,
         "a clean path is not tangled");
}

void check_clean(const std::string& base, const std::string& path, size_t room) {
  const bool slash = !path.empty() && path.back() == '/';
  const std::string expected = joined(cleaned(base + "/" + path), slash);
  Room to(room);
  if (!paths::clean(as_bytes(base), as_bytes(path), &to.text)) {
    // Text of parts that are dropped again needs room, too.
    demand(room <= base.size() + path.size() + 2, "what has room is cleaned");
    return;
  }
  demand(text_of(to.text) == expected, "clean() says what the model says");
}

// Of a relative path: how deep below its start it climbs, and whether it does.
void check_relative(const std::string& path) {
  int at = 0, lowest = 0, parts = 0;
  bool climbs = false;
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    const std::string part = path.substr(from, end - from);
    from = end + 1;
    if (part.empty()) continue;
    parts++;
    climbs = climbs || part == "..";
    if (part == ".") continue;
    at += part == ".." ? -1 : 1;
    lowest = std::min(lowest, at);
  }
  demand(paths::highest(path.c_str()) == lowest, "highest() says what the model says");
  demand(paths::depth(as_bytes(path)) == parts, "depth() says what the model says");
  if (path.empty() || path[0] != '/')
    demand(paths::climbs(path.c_str()) == climbs, "climbs() says what the model says");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Names kNames[] = {{"/wb", "/s/tree"},
                                 {"/proc/wb", "/home/u/.cache/wb/tree"},
                                 {"/a/b/c", "/a/b/d/tree"},
                                 {"/s/tree/x", "/s/tree"}};
  fuzz::Input input(data, size);
  const uint8_t choice = input.byte();
  const Names& names = kNames[choice % std::size(kNames)];
  const size_t room = 1 + input.byte() * size_t{4};
  const std::string base = input.until('\0'), path = input.until('\0');
  check_relative(path);
  (void)paths::may_enter(names.roots(), path.c_str());
  check_clean(base, path, room);
  check_clean(base, path, base.size() + path.size() + 3);
  check_place(names, "/" + path);
  check_place(names, names.prefix + path);
  check_place(names, names.prefix + "/" + path);
  return 0;
}
