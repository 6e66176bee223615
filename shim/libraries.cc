// dlopen() and dlmopen() of libraries under the prefix, and what dlerror() says of them.
//
// The loader takes the caller's RUNPATH from the return address: for a path that is not ours both
// calls must be tail calls, so nothing with a destructor may live in the outer functions.
#include "shim/calls.h"
#include "shim/libc_heap.h"

namespace wbshim {
namespace {

// A name without a slash is searched for; a relative path is followed by the kernel, but across the
// border.
bool ours(const char* path) {
  if (!settings.on || !path || !strchr(path, '/')) return false;
  if (path[0] != '/') return paths::climbs(path) || paths::may_enter(client::roots(), path);
  return paths::place(client::roots(), path) != paths::Place::Outside;
}

[[gnu::noinline]] void* open_inside(const char* path, int flags) {
  Mapped m(path);
  return m.ok() ? NEXT(dlopen)(m.path(), flags) : nullptr;
}

[[gnu::noinline]] void* open_inside(Lmid_t space, const char* path, int flags) {
  Mapped m(path);
  return m.ok() ? NEXT(dlmopen)(space, m.path(), flags) : nullptr;
}

}  // namespace

void* open_library(const char* path, int flags) {
  if (!ours(path)) return NEXT(dlopen)(path, flags);
  return open_inside(path, flags);
}

void* open_library_in(Lmid_t space, const char* path, int flags) {
  if (!ours(path)) return NEXT(dlmopen)(space, path, flags);
  return open_inside(space, path, flags);
}

namespace {

// The text of this thread's last error, where it did not fit libc's own.
constinit thread_local char* longer_error = nullptr;

// Copies `from` with the prefix in place of the tree; the result's size. to: null to count only, or
// `from` itself, if the prefix is no longer than the tree's name.
size_t turn_back(const char* from, char* to) {
  size_t n = 0;
  paths::Roots roots = client::roots();
  while (const char* found = strstr(from, roots.tree.data)) {
    auto head = static_cast<size_t>(found - from);
    if (to) {
      memmove(to + n, from, head);
      memcpy(to + n + head, roots.prefix.data, roots.prefix.size);
    }
    n += head + roots.prefix.size;
    from = found + roots.tree.size;
  }
  size_t tail = strlen(from);
  if (to) memmove(to + n, from, tail + 1);
  return n + tail;
}

}  // namespace

char* library_error() {
  char* text = NEXT(dlerror)();
  if (!text || !settings.on || !strstr(text, settings.tree)) return text;
  if (settings.prefix_size <= settings.tree_size) {
    turn_back(text, text);
    return text;
  }
  char* longer = static_cast<char*>(libc_heap::take(turn_back(text, nullptr) + 1));
  if (!longer) return text;
  turn_back(text, longer);
  libc_heap::give(longer_error);
  return longer_error = longer;
}

}  // namespace wbshim
