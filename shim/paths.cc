#include "shim/paths.h"

namespace wbshim::paths {

bool component(Bytes* rest, Bytes* word) {
  while (rest->size > 0 && rest->data[0] == '/') *rest = Bytes(rest->data + 1, rest->size - 1);
  if (rest->size == 0) return false;
  size_t n = 0;
  while (n < rest->size && rest->data[n] != '/') n++;
  *word = Bytes(rest->data, n);
  *rest = Bytes(rest->data + n, rest->size - n);
  return true;
}

bool is_dot(Bytes word) {
  return word.size == 1 && word.data[0] == '.';
}
bool is_dots(Bytes word) {
  return word.size == 2 && word.data[0] == '.' && word.data[1] == '.';
}

bool tangled(const char* path) {
  for (const char* p = path; *p; p++) {
    if (*p != '/') continue;
    if (p[1] == '/') return true;
    if (p[1] == '.' &&
        (p[2] == '\0' || p[2] == '/' || (p[2] == '.' && (p[3] == '\0' || p[3] == '/'))))
      return true;
  }
  return false;
}

namespace {

bool append_components(Bytes path, Text* to) {
  Bytes word;
  while (component(&path, &word)) {
    if (is_dot(word)) continue;
    if (is_dots(word)) {
      size_t n = to->size();
      while (n > 0 && to->c_str()[n - 1] != '/') n--;
      to->truncate(n > 0 ? n - 1 : 0);
      continue;
    }
    to->add('/').add(word);
  }
  return to->ok();
}

}  // namespace

Bytes below(Bytes root, Bytes path) {
  if (!path.starts_with(root)) return {};
  if (path.size == root.size) return Bytes("", 0);
  return path.data[root.size] == '/' ? Bytes(path.data + root.size, path.size - root.size)
                                     : Bytes();
}

Place place(const Roots& roots, const char* path) {
  if (tangled(path)) return Place::Tangled;
  return under(roots.prefix, path) ? Place::Inside : Place::Outside;
}

bool climbs(const char* path) {
  for (const char* p = path; *p;) {
    if (p[0] == '.' && p[1] == '.' && (p[2] == '\0' || p[2] == '/')) return true;
    while (*p && *p != '/') p++;
    while (*p == '/') p++;
  }
  return false;
}

bool may_enter(const Roots& roots, const char* path) {
  while (path[0] == '.' && path[1] == '/') {
    path += 2;
    while (*path == '/') path++;
  }
  for (size_t i = 0; i < roots.prefix.size; i++) {
    if (roots.prefix.data[i] != '/') continue;
    Bytes tail(roots.prefix.data + i + 1, roots.prefix.size - i - 1);
    if (strncmp(path, tail.data, tail.size) == 0 &&
        (path[tail.size] == '/' || path[tail.size] == '\0'))
      return true;
  }
  return false;
}

bool clean(Bytes base, Bytes path, Text* to) {
  to->clear();
  if (!append_components(base, to) || !append_components(path, to)) return false;
  if (to->size() == 0) return to->add('/').ok();
  if (path.size > 0 && path.data[path.size - 1] == '/') to->add('/');
  return to->ok();
}

int highest(const char* path) {
  int at = 0, lowest = 0;
  Bytes rest(path), word;
  while (component(&rest, &word)) {
    if (is_dot(word)) continue;
    at += is_dots(word) ? -1 : 1;
    if (at < lowest) lowest = at;
  }
  return lowest;
}

int depth(Bytes below) {
  int n = 0;
  Bytes word;
  while (component(&below, &word)) n++;
  return n;
}

bool to_tree(const Roots& roots, Bytes path, Text* to) {
  Bytes rest = below(roots.prefix, path);
  return rest.data && to->add(roots.tree).add(rest).ok();
}

bool to_virtual(const Roots& roots, Bytes path, Text* to) {
  Bytes rest = below(roots.tree, path);
  return rest.data && to->add(roots.prefix).add(rest).ok();
}

}  // namespace wbshim::paths
