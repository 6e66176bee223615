// The path engine: which paths lie under the prefix, and what they are called in the staging tree
// and back. Pure functions of their arguments; no allocation, no system call, no state. Texts are
// bytes; a path keeps its trailing slashes.
#pragma once

#include "core/base/span.h"
#include "core/base/text.h"

namespace wbshim::paths {

// The two names of one directory: `prefix` as programs see it, `tree` where its files are. Both
// absolute, normalised.
struct Roots {
  Bytes prefix;
  Bytes tree;
};

enum class Place {
  Outside,  // not under the prefix: hand it on as it is
  Inside,   // under the prefix, plainly: tree + what follows the prefix
  Tangled,  // absolute, holds "//", "/./" or "/../": needs clean() to tell
};
// For absolute paths. Inside only when the prefix is followed by '/' or the end.
Place place(const Roots& roots, const char* path);

// Whether an absolute path begins with the prefix' name, whatever follows.
inline bool under(Bytes prefix, const char* path) {
  for (size_t i = 0; i < prefix.size; i++) {
    if (path[i] != prefix.data[i]) return false;
  }
  return path[prefix.size] == '/' || path[prefix.size] == '\0';
}
// Whether an absolute path holds an empty, "." or ".." component (a trailing slash is none).
bool tangled(const char* path);

// Whether "path" (relative) holds a ".." component.
bool climbs(const char* path);

// Whether a relative path could lead from a directory above the prefix into it: it begins with the
// last components of the prefix. Cheap; false for nearly all.
bool may_enter(const Roots& roots, const char* path);

// Joins and cleans by text: `base` (absolute, or empty when path is absolute) + path, without "//",
// "." and "..", keeping one trailing slash if path had any. False when it does not fit.
bool clean(Bytes base, Bytes path, Text* to);

// Takes the next component off `rest`; false at the end.
bool component(Bytes* rest, Bytes* word);
bool is_dot(Bytes word);
bool is_dots(Bytes word);  // ".."

// How deep below its start a relative path climbs at its highest: "a/../../b" gives -1, "a/b" 0.
int highest(const char* path);

// Number of components of a path that follows a root: "" 0, "/a" 1, "/a/b" 2.
int depth(Bytes below);

// Writes the tree's name of an absolute, clean path under the prefix / the prefix' name of one
// under the tree. False: it is not under it, or does not fit.
bool to_tree(const Roots& roots, Bytes path, Text* to);
bool to_virtual(const Roots& roots, Bytes path, Text* to);

// What follows `root` in `path` ("" or "/…"); data is null when path is not under root.
Bytes below(Bytes root, Bytes path);

}  // namespace wbshim::paths
