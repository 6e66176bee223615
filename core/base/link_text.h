// What is kept in the tree of a symbolic link, and what programs read of it. The kernel follows links by
// itself: it must come where the program means, by names that it knows. So a target below the prefix is
// kept with the tree's name, and a relative one that climbs out of the prefix as the absolute one it
// means, with a beginning that says how it was given:
//
//     ../../a/x in /p/q/d, where the prefix is /p/q  ->  //././/p/a/x
//     two "//", one "./" for each "..", one "/" for each of the first names that were not given
//
// A target that a program gives with such a beginning is kept with one "/" more.
#pragma once

#include "core/base/text.h"

namespace wbshim::link_text {

struct Roots {
  Bytes prefix;
  Bytes tree;
};

// depth: how many directories below the prefix the link's own is. False: it does not fit.
bool keep(const Roots& roots, int depth, Bytes target, Text* to);

// The other way round: a link that was moved to another depth shows the same, and leads to the same.
bool show(const Roots& roots, Bytes kept, Text* to);

// Whether keep() and show() have something to do.
bool is_plain(const Roots& roots, Bytes text);
// Whether keep() needs to know the depth.
bool climbs(Bytes target);

}  // namespace wbshim::link_text
