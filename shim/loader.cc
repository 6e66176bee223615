#include "shim/loader.h"

#include "shim/client.h"
#include "shim/mapped.h"

namespace wbshim {
namespace {

bool is_loader(const char* path) {
  const char* slash = path ? strrchr(path, '/') : nullptr;
  if (!slash) return false;
  return strncmp(slash, "/ld-linux", 9) == 0 || strncmp(slash, "/ld.so", 6) == 0 ||
         strncmp(slash, "/ld64.so", 8) == 0;
}

bool is(const char* word, const char* option) {
  return strcmp(word, option) == 0;
}

// Options with a list of files or directories behind them, and those with another word.
bool takes_paths(const char* word) {
  return is(word, "--library-path") || is(word, "--preload") || is(word, "--audit") ||
         is(word, "--inhibit-rpath");
}
bool takes_word(const char* word) {
  return is(word, "--argv0") || is(word, "--glibc-hwcaps-prepend") ||
         is(word, "--glibc-hwcaps-mask");
}

bool mentions_prefix(const char* text) {
  return strstr(text, settings.prefix) != nullptr;
}

void add_paths(Text* to, const char* list) {
  while (*list) {
    size_t n = strcspn(list, ":; ");
    if (!paths::to_tree(client::roots(), Bytes(list, n), to)) to->add(Bytes(list, n));
    list += n;
    if (*list) to->add(*list++);
  }
}

}  // namespace

LoaderArguments::LoaderArguments(const char* path, char* const* argv) : argv_(argv) {
  if (!settings.on || !argv || !argv[0] || !is_loader(path)) return;
  unsigned count = 0, program = 0;
  bool ours = false;
  for (; argv[count]; count++) {
    bool before = program == 0 && count > 0;
    if (!before) continue;
    if (strncmp(argv[count], "--", 2) != 0) {
      program = count;
      ours = ours || mentions_prefix(argv[count]);
    } else if ((takes_paths(argv[count]) || takes_word(argv[count])) && argv[count + 1]) {
      ours = ours || (takes_paths(argv[count]) && mentions_prefix(argv[count + 1]));
      count++;
    }
  }
  if (program == 0) return;
  program_ = argv[program];
  if (ours) translate(count, program);
}

void LoaderArguments::translate(unsigned count, unsigned program) {
  size_t texts = 0;
  for (unsigned i = 1; i <= program; i++) {
    size_t elements = 2;
    for (const char* p = argv_[i]; *p; p++) elements += *p == ':' || *p == ';' || *p == ' ';
    texts += strlen(argv_[i]) + elements * (settings.tree_size + 1);
  }
  size_ = (count + 3) * sizeof(char*) + texts;
  pages_ = sys::mmap(size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!pages_) return;
  auto** to = static_cast<char**>(pages_);
  char* at = static_cast<char*>(pages_) + (count + 3) * sizeof(char*);
  unsigned n = 0;
  bool named = false;
  for (unsigned i = 0; i < program; i++) {
    to[n++] = argv_[i];
    named = named || is(argv_[i], "--argv0");
    if (i == 0 || i + 1 == program || !takes_paths(argv_[i])) continue;
    Text list(at, texts);
    add_paths(&list, argv_[++i]);
    to[n++] = at;
    at += list.size() + 1;
    texts -= list.size() + 1;
  }
  Mapped m(argv_[program]);
  if (!m.ok()) return;
  struct stat st {};
  // What is missing is so by either name, and the loader says which.
  if (m.path() != argv_[program] && sys::fstatat(AT_FDCWD, m.path(), &st, 0) == 0) {
    // The program goes on reading its own name.
    static constexpr char kName[] = "--argv0";
    if (!named) {
      to[n++] = const_cast<char*>(kName);
      to[n++] = argv_[program];
    }
    Text name(at, texts);
    if (!name.add(m.path()).ok()) return;
    to[n++] = at;
    program_ = at;
  } else {
    to[n++] = argv_[program];
  }
  for (unsigned i = program + 1; i <= count; i++) to[n++] = argv_[i];
  argv_ = to;
}

LoaderArguments::~LoaderArguments() {
  if (pages_) sys::munmap(pages_, size_);
}

}  // namespace wbshim
