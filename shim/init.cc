// Load and end of the library. Our constructor runs before every other one (-z initfirst); a
// wrapper that is called earlier still finds the library loaded by its own first use.
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "shim/calls.h"
#include "shim/environment.h"
#include "shim/init.h"
#include "shim/pool.h"
#include "shim/room.h"

namespace wbshim {

constinit std::atomic<bool> loaded = false;

namespace {

// Runs after every other library's destructors: buffered output is written first, then what is
// still open is published.
void at_exit(int, void*) {
  if (!settings.on || !descriptors::any_writing()) return;
  NEXT(fflush)(nullptr);
  sweep();
}

void in_fork_child() {
  client::adopt_memory();
  room::forked();
}

}  // namespace

// "WBSHIM_META is 'x' (environment): sync or batch; its default is used"
static void tell(const Settings::Complaint& complaint) {
  char room[400];
  Text text(room);
  text.add("WBSHIM_").add(complaint.option.size > 60 ? Bytes("…") : complaint.option);
  if (complaint.value.data)
    text.add(" is '")
        .json(complaint.value.size > 100 ? Bytes(complaint.value.data, 100) : complaint.value)
        .add("'");
  text.add(" (environment): ").add(complaint.why).add("; ").add(complaint.then);
  if (text.ok()) client::log(settings.on ? 1 : 0, room, {});
}

static void load_from(char** environment) {
  if (loaded.exchange(true)) return;
  Settings::Complaints complaints;
  bool on = settings.load(environment, &complaints);
  for (unsigned i = 0; i < complaints.count; i++) tell(complaints.list[i]);
  if (!on) return;
  client::own_memory();
  environment::show(environment);
  environment::capture(environment);
  for (char** e = environment; e && *e; e++) {
    if (strncmp(*e, kFdsVariable, sizeof kFdsVariable - 1) == 0 &&
        (*e)[sizeof kFdsVariable - 1] == '=') {
      descriptors::inherited(*e + sizeof kFdsVariable);
    }
  }
}

void load_now() {
  load_from(environ);
}

namespace {

// The path that this program was started by, as the kernel tells it, below the environment on the
// initial stack: under the prefix' name. libc and loader are done with it.
void show_program(char** environment) {
  char** end = environment;
  while (*end) end++;
  const char* random = reinterpret_cast<const char*>(getauxval(AT_RANDOM));
  const char* here = reinterpret_cast<const char*>(end);
  constexpr long kMostStack = 64 << 20;
  // A library that is loaded later finds another environment here.
  if (!random || random < here || random - here > kMostStack) return;
  while (!*end) end++;  // more than one, where show() took an entry out
  auto* entry = reinterpret_cast<Elf64_auxv_t*>(end);
  for (int i = 0; i < 64 && entry->a_type != AT_NULL; i++, entry++) {
    if (entry->a_type != AT_EXECFN) continue;
    auto* name = reinterpret_cast<char*>(entry->a_un.a_val);
    Bytes rest = paths::below(client::roots().tree, name);
    if (!rest.data) return;
    const char* shown = pool::keep(client::roots().prefix, rest);
    if (!shown) return;
    entry->a_un.a_val = reinterpret_cast<uint64_t>(shown);
    // /proc/self/auxv goes on leading to the text.
    size_t old = strlen(name), n = strlen(shown);
    if (n > old) return;
    memcpy(name, shown, n + 1);
    memset(name + n, 0, old - n);
    return;
  }
}

// We come before libc's own initialisation, so `environ` is not set yet; glibc hands the
// environment to constructors.
[[gnu::constructor]] void construct(int, char**, char** environment) {
  load_from(environment ? environment : environ);
  if (!settings.on) return;
  if (environment) show_program(environment);
  pthread_atfork(nullptr, nullptr, in_fork_child);
  // libc's own: the program's may be a sanitizer's that is not ready yet.
  auto next = reinterpret_cast<decltype(&on_exit)>(dlsym(RTLD_NEXT, "on_exit"));
  if (next) next(at_exit, nullptr);
  // Found later, by dlsym(), it would have nothing left to tell.
  resolve_next(Entry::dlerror);
}

}  // namespace
}  // namespace wbshim
