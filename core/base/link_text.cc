#include "core/base/link_text.h"

namespace wbshim::link_text {
namespace {

Bytes after(Bytes text, size_t n) {
  return Bytes(text.data + n, text.size - n);
}

size_t slashes(Bytes text) {
  size_t n = 0;
  while (n < text.size && text.data[n] == '/') n++;
  return n;
}

// What follows `root` in `path`; data is null: it does not lie below.
Bytes below(Bytes root, Bytes path) {
  if (!path.data || !path.starts_with(root)) return {};
  return path.size == root.size || path.data[root.size] == '/' ? after(path, root.size) : Bytes();
}

// "//from/rest" as "//to/rest": slashes before the first are nobody's.
bool exchange(Bytes from, Bytes with, Bytes text, Text* to) {
  size_t more = slashes(text);
  Bytes rest = more > 0 ? below(from, after(text, more - 1)) : Bytes();
  if (!rest.data) return to->add(text).ok();
  return to->add(Bytes(text.data, more - 1)).add(with).add(rest).ok();
}

constexpr char kUp[] = "..";

// How many ".." the text begins with; `rest`: what follows them, without what means nothing.
int ups(Bytes text, Bytes* rest) {
  int n = 0;
  for (;;) {
    while (text.size > 0 && text.data[0] == '/' && n > 0) text = after(text, 1);
    if (text.starts_with("./")) {
      text = after(text, 2);
      while (text.size > 0 && text.data[0] == '/') text = after(text, 1);
    } else if (text == Bytes(kUp) || text.starts_with("../")) {
      text = after(text, 2);
      n++;
    } else {
      break;
    }
  }
  *rest = text;
  return n;
}

// Whether a ".." is left.
bool goes_up(Bytes text) {
  for (size_t i = 0; i + 1 < text.size; i++) {
    bool starts = i == 0 || text.data[i - 1] == '/';
    bool ends = i + 2 == text.size || text.data[i + 2] == '/';
    if (starts && ends && text.data[i] == '.' && text.data[i + 1] == '.') return true;
  }
  return false;
}

int names(Bytes path) {
  int n = 0;
  for (size_t i = 0; i < path.size; i++) n += path.data[i] == '/';
  return n;
}

// The end of the first n names of an absolute path.
size_t first(Bytes path, int n) {
  size_t i = 0;
  for (; n > 0 && i < path.size; n--) {
    i++;
    while (i < path.size && path.data[i] != '/') i++;
  }
  return i;
}

// "//" and a "./" behind it, or more slashes: the beginning that is ours, or one that was given.
bool marked(Bytes text) {
  size_t n = slashes(text);
  return n >= 2 && after(text, n).starts_with("./");
}

}  // namespace

bool climbs(Bytes target) {
  Bytes rest;
  return (target.starts_with("../") || target.starts_with("./") || target == Bytes(kUp)) &&
         ups(target, &rest) > 0;
}

bool is_plain(const Roots& roots, Bytes text) {
  size_t n = slashes(text);
  return n == 0 || (!marked(text) && !below(roots.prefix, after(text, n - 1)).data &&
                    !below(roots.tree, after(text, n - 1)).data);
}

bool keep(const Roots& roots, int depth, Bytes target, Text* to) {
  if (marked(target)) to->add('/');
  Bytes rest;
  int up = climbs(target) ? ups(target, &rest) : 0;
  // With names before a ".." it is the kernel's to follow.
  if (up <= depth || goes_up(rest)) return exchange(roots.prefix, roots.tree, target, to);
  int left = names(roots.prefix) - (up - depth);
  if (left < 0) left = 0;
  to->add("//");
  for (int i = 0; i < up; i++) to->add("./");
  for (int i = 0; i < left; i++) to->add('/');
  // Where it leads, from "/" on: into the prefix again, or to a name beside it.
  size_t cut = first(roots.prefix, left);
  Bytes in = below(after(roots.prefix, cut + 1), rest);
  if (in.data) return to->add(after(roots.tree, 1)).add(in).ok();
  if (left > 0) to->add(Bytes(roots.prefix.data + 1, cut - 1));
  if (left > 0 && rest.size > 0) to->add('/');
  return to->add(rest).ok();
}

bool show(const Roots& roots, Bytes kept, Text* to) {
  if (!marked(kept)) return exchange(roots.tree, roots.prefix, kept, to);
  if (slashes(kept) > 2) return exchange(roots.tree, roots.prefix, after(kept, 1), to);
  Bytes text = after(kept, 2);
  int up = 0;
  for (; text.starts_with("./"); text = after(text, 2)) up++;
  size_t left = slashes(text);
  text = after(text, left);
  // Absolute again: the byte before it is a slash.
  Bytes place(text.data - 1, text.size + 1);
  Bytes in = below(roots.tree, place);
  for (int i = 0; i < up; i++) to->add(i > 0 ? "/.." : "..");
  Bytes given = in.data ? roots.prefix : place;
  Bytes rest = after(given, first(given, static_cast<int>(left)));
  if (rest.size > 1 || (rest.size == 1 && rest.data[0] != '/')) to->add(rest);
  if (in.data) to->add(in);
  return to->ok();
}

}  // namespace wbshim::link_text
