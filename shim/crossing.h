// Paths that cross the border of the prefix by "..": only there the kernel cannot follow, since for
// it the prefix is not where the program thinks. They are walked by name, and the kernel is asked
// about every directory that a ".." leaves: it must be one, and a symbolic link leads elsewhere.
#pragma once

#include "core/base/text.h"

namespace wbshim::crossing {

// Whether `path`, by its text alone, comes by the prefix or ends in it. base: the virtual directory
// a relative path starts from; empty for an absolute one.
bool touches(Bytes base, const char* path);

// Whether the path starts where /proc names descriptors and working directories by links: one may lead
// into the tree. base: as above.
bool by_descriptor(Bytes base, const char* path);
// Whether a relative path holds the name of such a link. Cheap; false for nearly all.
bool may_be_descriptor(const char* path);

// Writes the absolute virtual name that base + path leads to, without "..", "." and "//"; a
// trailing slash, "." or ".." stays where it matters to the kernel. Returns 0 or the errno that the
// kernel would have for the path. entered: set when a link led into the tree from outside.
int follow(Bytes base, const char* path, Text* to, bool* entered);

}  // namespace wbshim::crossing
