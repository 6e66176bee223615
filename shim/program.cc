#include "shim/program.h"

#include <elf.h>
#include <fcntl.h>

#include "shim/client.h"

namespace wbshim::program {

namespace {

// Whether a name ends before the line was cut off.
bool ends_within(const char* line) {
  while (*line == ' ' || *line == '\t') line++;
  return strcspn(line, " \t") < strlen(line);
}

}  // namespace

bool read_script(const char* path, Script* script) {
  int fd = sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  long n = sys::read(fd, script->line, sizeof script->line - 1);
  sys::close(fd);
  if (n < 3 || script->line[0] != '#' || script->line[1] != '!') return false;
  script->line[n] = '\0';
  char* end = strchr(script->line, '\n');
  if (end) {
    *end = '\0';
  } else if (n == sizeof script->line - 1) {
    // Cut off: the kernel gives the last byte up.
    if (!ends_within(script->line + 2)) return false;
    script->line[n - 1] = '\0';
  }
  char* p = script->line + 2;
  while (*p == ' ' || *p == '\t') p++;
  if (!*p) return false;
  script->interpreter = p;
  while (*p && *p != ' ' && *p != '\t') p++;
  // Longer than the kernel reads: to it that is no script.
  if (!*p && !end && n == static_cast<long>(sizeof script->line) - 1) return false;
  if (!*p) return true;
  *p++ = '\0';
  while (*p == ' ' || *p == '\t') p++;
  if (!*p) return true;
  script->argument = p;
  char* last = p + strlen(p);
  while (last > p && (last[-1] == ' ' || last[-1] == '\t')) *--last = '\0';
  return true;
}

namespace {

struct File {
  const char* data = nullptr;
  size_t size = 0;
  template <typename T>
  const T* at(uint64_t offset, uint64_t count = 1) const {
    if (offset > size || count > (size - offset) / sizeof(T)) return nullptr;
    if (offset % alignof(T) != 0) return nullptr;  // no linker writes such files
    return reinterpret_cast<const T*>(data + offset);
  }
};

// A virtual address of the program as an offset in its file; ~0 when no segment holds it.
uint64_t offset_of(const File& file, const Elf64_Ehdr& header, uint64_t address) {
  const auto* segments = file.at<Elf64_Phdr>(header.e_phoff, header.e_phnum);
  for (unsigned i = 0; segments && i < header.e_phnum; i++) {
    const Elf64_Phdr& s = segments[i];
    if (s.p_type == PT_LOAD && address >= s.p_vaddr && address - s.p_vaddr < s.p_filesz) {
      return address - s.p_vaddr + s.p_offset;
    }
  }
  return ~UINT64_C(0);
}

// The dynamic section's texts.
struct Dynamic {
  const char* strings = nullptr;
  size_t size = 0;

  const char* text(uint64_t at) const {
    return at < size && memchr(strings + at, '\0', size - at) ? strings + at : nullptr;
  }
};

const Elf64_Phdr* segment(const File& file, const Elf64_Ehdr& header, unsigned type) {
  const auto* segments = file.at<Elf64_Phdr>(header.e_phoff, header.e_phnum);
  for (unsigned i = 0; segments && i < header.e_phnum; i++) {
    if (segments[i].p_type == type) return &segments[i];
  }
  return nullptr;
}

bool has_musl(const File& file, const Elf64_Ehdr& header) {
  const Elf64_Phdr* interpreter = segment(file, header, PT_INTERP);
  const char* text =
      interpreter ? file.at<char>(interpreter->p_offset, interpreter->p_filesz) : nullptr;
  return text && memmem(text, interpreter->p_filesz, "/ld-musl", 8);
}

// Writes the directories of `list` that lie under the prefix.
Bytes translated(const char* list, Scratch* room) {
  char* to = strstr(list, settings.prefix) ? room->reserve(8192) : nullptr;
  if (!to) return {};
  Text found(to, room->room());
  while (*list) {
    size_t n = strcspn(list, ":");
    if (paths::below(client::roots().prefix, Bytes(list, n)).data) {
      if (found.size() > 0) found.add(':');
      paths::to_tree(client::roots(), Bytes(list, n), &found);
    }
    list += n;
    if (*list) list++;
  }
  return found.ok() ? found.bytes() : Bytes();
}

void read_dynamic(const File& file, const Elf64_Ehdr& header, Scratch* room, Traits* traits) {
  const Elf64_Phdr* where = segment(file, header, PT_DYNAMIC);
  if (!where) return;
  uint64_t n = where->p_filesz / sizeof(Elf64_Dyn), strings = 0, path = 0;
  const auto* entries = file.at<Elf64_Dyn>(where->p_offset, n);
  for (uint64_t k = 0; entries && k < n && entries[k].d_tag != DT_NULL; k++) {
    if (entries[k].d_tag == DT_STRTAB) strings = entries[k].d_un.d_ptr;
    if (entries[k].d_tag == DT_RUNPATH || (entries[k].d_tag == DT_RPATH && !path))
      path = entries[k].d_un.d_val;
  }
  uint64_t at = strings ? offset_of(file, header, strings) : file.size;
  if (at >= file.size) return;
  Dynamic dynamic{file.data + at, file.size - at};
  for (uint64_t k = 0; k < n && entries[k].d_tag != DT_NULL; k++) {
    const char* name =
        entries[k].d_tag == DT_NEEDED ? dynamic.text(entries[k].d_un.d_val) : nullptr;
    if (name && strncmp(name, "libasan.so", 10) == 0) traits->asan = true;
  }
  const char* list = path ? dynamic.text(path) : nullptr;
  if (list) traits->libraries = translated(list, room);
}

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#else
#error "the library knows the ELF machines of x86-64 and AArch64"
#endif

void judge(const File& file, Scratch* room, Traits* traits) {
  const auto* header = file.at<Elf64_Ehdr>(0);
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != kMachine) {
    traits->foreign = true;
    return;
  }
  traits->foreign = has_musl(file, *header);
  if (!traits->foreign) read_dynamic(file, *header, room, traits);
}

}  // namespace

Traits inspect(const char* path, Scratch* room) {
  Traits traits;
  Script script;
  int fd = sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return traits;
  struct stat st {};
  void* at = nullptr;
  size_t size = 0;
  if (sys::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 2) {
    size = static_cast<size_t>(st.st_size);
    at = sys::mmap(size, PROT_READ, MAP_PRIVATE, fd);
  }
  sys::close(fd);
  if (!at) return traits;
  bool is_script = memcmp(at, "#!", 2) == 0;
  if (!is_script) judge({static_cast<const char*>(at), size}, room, &traits);
  sys::munmap(at, size);
  // One step: the kernel itself starts the interpreter of a script.
  if (is_script && read_script(path, &script) && script.interpreter[0] == '/') {
    Script inner;
    if (!read_script(script.interpreter, &inner)) return inspect(script.interpreter, room);
  }
  return traits;
}

}  // namespace wbshim::program
