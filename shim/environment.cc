#include "shim/environment.h"

#include <fcntl.h>

#include "core/base/fault.h"
#include "shim/borrowed.h"
#include "shim/calls.h"
#include "shim/client.h"
#include "shim/descriptors.h"
#include "shim/pool.h"

namespace wbshim::environment {
namespace {

// "NAME=value" texts to put back; the first is LD_PRELOAD.
const char* captured[64];
size_t captured_count = 0;
const char* library = "";  // our own element of LD_PRELOAD

bool named(const char* entry, Bytes name) {
  return strncmp(entry, name.data, name.size) == 0 && entry[name.size] == '=';
}

void keep(const char* entry) {
  if (captured_count == sizeof captured / sizeof captured[0]) return;
  if (const char* kept = pool::keep(entry)) captured[captured_count++] = kept;
}

const char* find(char* const* envp, Bytes name) {
  for (char* const* e = envp; e && *e; e++) {
    if (named(*e, name)) return *e + name.size + 1;
  }
  return nullptr;
}

// Writes "fd:ctime,…" for the descriptors that the new program inherits and may write. What this
// process answers for and hands on by exec is marked 0 (publish in any case) and noted in the
// journal, should the new program be killed.
struct MarkerContext {
  Text* text;
  bool replaces;
};

void mark_descriptor(int fd, const descriptors::Slot* slot, void* context) {
  auto* c = static_cast<MarkerContext*>(context);
  int flags = sys::fcntl(fd, F_GETFD);
  struct stat st {};
  if (flags < 0 || (flags & FD_CLOEXEC) || sys::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
      st.st_nlink == 0)
    return;
  bool hands_over = c->replaces && slot && slot->pid == sys::getpid();
  uint64_t baseline = static_cast<uint64_t>(st.st_ctim.tv_sec) * 1000000000u +
                      static_cast<uint64_t>(st.st_ctim.tv_nsec);
  if (c->text->size() > 0) c->text->add(',');
  c->text->number(fd).add(':').hex(hands_over ? 0 : baseline, hands_over ? 1 : 16);
  if (hands_over && slot && slot->path_size > 0) note_held(Bytes(slot->path, slot->path_size));
  if (hands_over) WBSHIM_FAULT(HeldNoted);
}

// What the loader reads before any library is there to translate it: it is handed the tree's names.
// What the program shall see instead is in a variable of ours, whose name ends in the loader's, until
// show() puts it back.
struct LoaderList {
  char name[16];
  char separators[3];
};
constexpr LoaderList kLists[] = {
    {"LD_PRELOAD", ": "}, {"LD_LIBRARY_PATH", ":;"}, {"LD_AUDIT", ":"}};
constexpr size_t kListCount = sizeof kLists / sizeof kLists[0];
constexpr char kShown[] = "WBSHIM_";  // before the loader's name; without a value: it was not set

// The list with those of its elements that lie under the prefix under their tree's names.
void add_translated(Text* to, const char* list, const char* separators) {
  for (;;) {
    size_t n = strcspn(list, separators);
    if (!paths::to_tree(client::roots(), Bytes(list, n), to)) to->add(Bytes(list, n));
    list += n;
    if (!*list) return;
    to->add(*list++);
  }
}

// How much longer that can be.
size_t translated_room(const char* list) {
  size_t elements = 2;
  for (const char* p = list; *p; p++) elements += *p == ':' || *p == ' ' || *p == ';';
  return strlen(list) + elements * (settings.tree_size + 1);
}

// Which list an entry sets, or shows; kListCount: none.
size_t list_of(const char* entry, bool* shown) {
  *shown = strncmp(entry, kShown, sizeof kShown - 1) == 0;
  if (*shown) entry += sizeof kShown - 1;
  if (strncmp(entry, "LD_", 3) != 0) return kListCount;
  for (size_t i = 0; i < kListCount; i++) {
    Bytes name(kLists[i].name);
    if (named(entry, name) || (*shown && Bytes(entry) == name)) return i;
  }
  return kListCount;
}

void remove(char** entry) {
  do entry[0] = entry[1];
  while (*entry++);
}

void mark_promised(int fd, void* context) {
  auto* c = static_cast<MarkerContext*>(context);
  if (c->text->size() > 0) c->text->add(',');
  c->text->number(fd).add(":0");
}

// What a vfork child itself opened: the new program publishes it in any case.
void mark_noted(int fd, void* context) {
  int flags = sys::fcntl(fd, F_GETFD);
  if (flags >= 0 && !(flags & FD_CLOEXEC)) mark_promised(fd, context);
}

// A vfork child moves descriptors about without the table, which is its parent's: look at what it
// has made its standard ones.
void mark_standard(MarkerContext* context) {
  for (int fd = 0; fd < 3; fd++) {
    struct stat st {};
    int flags = sys::fcntl(fd, F_GETFL);
    if (borrowed::holds(fd) || descriptors::writes(descriptors::mark(fd)) || flags < 0 ||
        (flags & O_ACCMODE) == O_RDONLY)
      continue;
    if (sys::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !descriptor_inside(fd)) continue;
    mark_descriptor(fd, nullptr, context);
  }
}

bool mentions_prefix(const char* list) {
  return list && strstr(list, settings.prefix) != nullptr;
}

// Our place is before AddressSanitizer's library: its calls come to us as the program's do.
constexpr char kNoLinkOrder[] = "verify_asan_link_order=0";

bool knows_link_order(char* const* envp) {
  const char* options = find(envp, "ASAN_OPTIONS");
  return options && strstr(options, "verify_asan_link_order");
}

// Another user's process may not be able to read us (sudo, from a build in somebody's home).
bool readable() {
  if (library[0] != '/' || strchr(library, '$')) return true;
  return sys::call(SYS_faccessat, AT_FDCWD, sys::arg(library), R_OK) == 0;
}

// The elements of a preload line that are not us. False: there are none.
bool add_others(Text* to, const char* preload) {
  bool any = false;
  for (const char* p = preload; *p;) {
    size_t n = strcspn(p, ": ");
    if (n > 0 && !(library[0] && Bytes(p, n) == Bytes(library))) {
      if (any) to->add(':');
      to->add(Bytes(p, n));
      any = true;
    }
    p += n;
    if (*p) p++;
  }
  return any;
}

}  // namespace

void show(char** environment) {
  for (char** e = environment; e && *e;) {
    bool shown;
    size_t list = list_of(*e, &shown);
    if (!shown || list == kListCount) {
      e++;
      continue;
    }
    char* kept = *e;
    char* text = kept + sizeof kShown - 1;
    bool was_set = strchr(text, '=') != nullptr;
    remove(e);
    for (char** other = environment; *other; other++) {
      if (!named(*other, kLists[list].name)) continue;
      char* at = *other;
      if (was_set) *other = text;
      if (!was_set) {
        remove(other);
        if (other < e) e--;
      }
      // /proc/self/environ shows the block itself: there, too, as far as the two lie together.
      if (at + strlen(at) + 1 != kept) break;
      size_t size = strlen(at) + strlen(kept) + 2, n = was_set ? strlen(text) + 1 : 0;
      memmove(at, text, n);
      if (was_set) *other = at;
      memset(at + n, '.', size - n - 1);
      memcpy(at + n, kShown, sizeof kShown - 1);
      at[n + sizeof kShown - 1] = '=';
      break;
    }
  }
}

void capture(char** environment) {
  const char* preload = nullptr;
  for (char** e = environment; e && *e; e++) {
    if (named(*e, "LD_PRELOAD")) preload = *e;
  }
  if (!preload) return;
  const char* p = preload + 11;
  while (*p) {
    size_t n = strcspn(p, ": ");
    if (memmem(p, n, "libwbshim", 9)) {
      if (const char* kept = pool::keep(Bytes(p, n))) library = kept;
    }
    p += n;
    if (*p) p++;
  }
  // Others in the line are the program's to drop.
  const char* ours = library[0] ? pool::keep("LD_PRELOAD=", library) : pool::keep(preload);
  if (ours) captured[captured_count++] = ours;
  for (char** e = environment; *e; e++) {
    if (strncmp(*e, "WBSHIM_", 7) == 0 && !named(*e, kFdsVariable)) keep(*e);
  }
}

Prepared::Prepared(char* const* envp, const program::Traits& traits, const void* how) : out_(envp) {
  const char* disabled = find(envp, "WBSHIM_DISABLE");
  if (!settings.on || captured_count == 0 || (disabled && strcmp(disabled, "1") == 0)) return;
  program::Traits effective = traits;
  if (!readable()) effective.foreign = true;
  char marker_room[512];
  Text marker(marker_room);
  MarkerContext context{&marker, how == kExec};
  if (descriptors::any_writing()) {
    descriptors::each_writing(mark_descriptor, &context);
    if (client::borrowed_memory()) mark_standard(&context);
  }
  borrowed::each(mark_noted, &context);
  if (how != kExec) each_promised(how, mark_promised, &context);
  const char* preload = find(envp, "LD_PRELOAD");
  const char* staging = find(envp, "WBSHIM_STAGING_DIR");
  bool loaded = preload && library[0] && strstr(preload, library);
  bool canonical = !client::active() || (staging && strcmp(staging, settings.staging) == 0);
  bool same = loaded != effective.foreign && !(effective.asan && !knows_link_order(envp)) &&
              find(envp, "WBSHIM_PREFIX") && canonical && marker.size() == 0 &&
              !find(envp, kFdsVariable) && effective.libraries.size == 0;
  for (const LoaderList& list : kLists) same = same && !mentions_prefix(find(envp, list.name));
  if (same) return;
  size_t count = 0;
  while (envp && envp[count]) count++;
  build(envp, count, marker.bytes(), effective);
}

namespace {

// The environment that is being built: entries, and the texts of the new ones, in one block.
struct Block {
  char** entries;
  size_t most;
  char* at;
  size_t left;
  size_t n = 0;

  void add(char* entry) {
    if (n + 1 < most) entries[n++] = entry;
  }
  void add(const Text& text) {
    if (!text.ok()) return;
    add(at);
    at += text.size() + 1;
    left -= text.size() + 1;
  }
  Text text() const { return Text(at, left); }
};

// A list as the program shall see it (null: not at all), with `more` behind it for the loader alone.
void add_list(Block* to, const LoaderList& list, const char* shown, Bytes more) {
  Text physical = to->text();
  physical.add(list.name).add('=');
  if (shown) add_translated(&physical, shown, list.separators);
  if (shown && shown[0] && more.size > 0) physical.add(':');
  physical.add(more);
  bool same = shown && Bytes(physical.c_str() + strlen(list.name) + 1) == Bytes(shown);
  if (!physical.ok()) return;
  to->add(physical);
  if (same) return;
  Text kept = to->text();
  kept.add(kShown).add(list.name);
  if (shown) kept.add('=').add(shown);
  to->add(kept);
}

}  // namespace

// The preload line as a program started now shall see it, written to `to` if it is none of those
// there are. Null: none.
const char* Prepared::preload_line(const char* preload, bool foreign, Text* to) {
  if (foreign) return preload && add_others(to, preload) ? to->c_str() : nullptr;
  if (preload && library[0] && strstr(preload, library)) return preload;
  const char* ours = nullptr;
  for (size_t i = 0; i < captured_count; i++) {
    if (named(captured[i], kLists[0].name)) ours = captured[i] + strlen(kLists[0].name) + 1;
  }
  if (!ours || !preload || !preload[0]) return ours ? ours : preload;
  return to->add(library).add(':').add(preload).c_str();
}

void Prepared::build(char* const* envp, size_t count, Bytes marker, const program::Traits& traits) {
  constexpr size_t kAdded = 72;
  const char* preload = find(envp, kLists[0].name);
  const char* asan = traits.asan && !knows_link_order(envp) ? find(envp, "ASAN_OPTIONS") : nullptr;
  size_t line = (preload ? strlen(preload) : 0) + strlen(library) + 2;
  size_t texts = 8192 + traits.libraries.size + (asan ? strlen(asan) : 0) + line;
  for (const LoaderList& list : kLists) {
    if (const char* value = find(envp, list.name)) texts += strlen(value) + translated_room(value);
  }
  if (captured_count > 0) texts += strlen(captured[0]) + translated_room(captured[0]);
  size_ = (count + kAdded) * sizeof(char*) + texts;
  pages_ = sys::mmap(size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!pages_) return;
  auto** entries = static_cast<char**>(pages_);
  Block to{entries, count + kAdded, static_cast<char*>(pages_) + (count + kAdded) * sizeof(char*),
           texts};
  for (size_t i = 0; i < count; i++) {
    bool shown;
    bool dropped = named(envp[i], kFdsVariable) || list_of(envp[i], &shown) != kListCount ||
                   (asan && named(envp[i], "ASAN_OPTIONS")) ||
                   (client::active() && named(envp[i], "WBSHIM_STAGING_DIR"));
    if (!dropped) to.add(envp[i]);
  }
  bool has_settings = find(envp, "WBSHIM_PREFIX") != nullptr;
  for (size_t i = 0; i < captured_count && !has_settings; i++) {
    bool ours = named(captured[i], kLists[0].name) ||
                (named(captured[i], "WBSHIM_STAGING_DIR") && client::active());
    if (!ours) to.add(const_cast<char*>(captured[i]));
  }
  if (client::active()) {
    to.add(
        to.text().add("WBSHIM_STAGING_DIR=").add(Bytes(settings.staging, settings.staging_size)));
  }
  if (marker.size > 0) to.add(to.text().add(kFdsVariable).add('=').add(marker));
  if (traits.asan && !knows_link_order(envp)) {
    Text options = to.text();
    options.add("ASAN_OPTIONS=");
    if (asan && asan[0]) options.add(asan).add(':');
    to.add(options.add(kNoLinkOrder));
  }
  Text room(to.at, line < to.left ? line : to.left);
  to.at += line;
  to.left -= line;
  for (const LoaderList& list : kLists) {
    bool first = &list == &kLists[0], search = &list == &kLists[1];
    const char* value = find(envp, list.name);
    if (first) value = preload_line(preload, traits.foreign, &room);
    Bytes more = search ? traits.libraries : Bytes();
    if (value || more.size > 0) add_list(&to, list, value, more);
  }
  entries[to.n] = nullptr;
  out_ = entries;
}

Prepared::~Prepared() {
  if (pages_) sys::munmap(pages_, size_);
}

}  // namespace wbshim::environment
