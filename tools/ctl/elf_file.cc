#include "tools/ctl/elf_file.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <string_view>

namespace wbshim::ctl {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using Dynamic = ElfW(Dyn);

constexpr unsigned char kOwnClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kOwnData =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
constexpr size_t kLongestText = 4096;
constexpr size_t kMostDynamic = 65536;
constexpr size_t kMostSectionNames = 1 << 20;

class Reader {
 public:
  Reader(int fd, uint64_t size) : fd_(fd), size_(size) {}

  bool read(uint64_t at, void* to, uint64_t n) const {
    if (at > size_ || n > size_ - at) return false;
    auto* out = static_cast<char*>(to);
    while (n > 0) {
      const ssize_t got = pread(fd_, out, n, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      out += got;
      at += static_cast<uint64_t>(got);
      n -= static_cast<uint64_t>(got);
    }
    return true;
  }

  template <typename T>
  bool read_table(uint64_t at, uint64_t count, std::vector<T>* to) const {
    if (at > size_ || count > (size_ - at) / sizeof(T)) return false;
    to->resize(count);
    return read(at, to->data(), count * sizeof(T));
  }

  // Up to the next NUL.
  bool read_text(uint64_t at, std::string* to) const {
    if (at >= size_) return false;
    to->assign(std::min<uint64_t>(kLongestText, size_ - at), '\0');
    if (!read(at, to->data(), to->size())) return false;
    const size_t end = to->find('\0');
    if (end == std::string::npos) return false;
    to->resize(end);
    return true;
  }

 private:
  int fd_;
  uint64_t size_;
};

Error damaged(const char* what) {
  return Error{std::string("is damaged: ") + what};
}

bool file_offset(const std::vector<Segment>& segments, uint64_t address, uint64_t* offset) {
  for (const Segment& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
        address - segment.p_vaddr >= segment.p_filesz)
      continue;
    *offset = segment.p_offset + (address - segment.p_vaddr);
    return *offset >= segment.p_offset;
  }
  return false;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t from = 0; from < list.size();) {
    const size_t end = std::min(list.find(':', from), list.size());
    if (end > from) parts.push_back(list.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

Status read_dynamic(const Reader& reader, const std::vector<Segment>& segments,
                    const Segment& segment, ElfFile* file) {
  std::vector<Dynamic> entries;
  const uint64_t count = segment.p_filesz / sizeof(Dynamic);
  if (count > kMostDynamic || !reader.read_table(segment.p_offset, count, &entries))
    return damaged("its dynamic section lies outside of the file");
  const auto end = std::find_if(entries.begin(), entries.end(),
                                [](const Dynamic& entry) { return entry.d_tag == DT_NULL; });
  entries.erase(end, entries.end());
  uint64_t strings = 0;
  for (const Dynamic& entry : entries) {
    if (entry.d_tag == DT_STRTAB && !file_offset(segments, entry.d_un.d_ptr, &strings))
      return damaged("its string table lies outside of the file");
  }
  std::string text, rpath, runpath;
  for (const Dynamic& entry : entries) {
    if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH) continue;
    const uint64_t at = strings + entry.d_un.d_val;
    if (strings == 0 || at < strings || !reader.read_text(at, &text))
      return damaged("a name lies outside of its string table");
    if (entry.d_tag == DT_NEEDED)
      file->needed.push_back(text);
    else
      (entry.d_tag == DT_RPATH ? rpath : runpath) = text;
  }
  file->library_paths = split(runpath.empty() ? rpath : runpath);
  return Ok{};
}

// Go's linker leaves these sections in stripped programs, too.
bool made_by_go(const Reader& reader, const Header& header) {
  std::vector<Section> sections;
  if (header.e_shentsize != sizeof(Section) || header.e_shstrndx >= header.e_shnum ||
      !reader.read_table(header.e_shoff, header.e_shnum, &sections))
    return false;
  const Section& names = sections[header.e_shstrndx];
  std::vector<char> text;
  if (names.sh_type != SHT_STRTAB || names.sh_size > kMostSectionNames ||
      !reader.read_table(names.sh_offset, names.sh_size, &text))
    return false;
  return std::any_of(sections.begin(), sections.end(), [&](const Section& section) {
    if (section.sh_name >= text.size()) return false;
    const char* name = text.data() + section.sh_name;
    const std::string_view found(name, strnlen(name, text.size() - section.sh_name));
    return found == ".go.buildinfo" || found == ".note.go.buildid";
  });
}

Status read_segments(const Reader& reader, const Header& header, ElfFile* file) {
  std::vector<Segment> segments;
  if (header.e_phnum > 0 && header.e_phentsize != sizeof(Segment))
    return damaged("its program headers have another size");
  if (!reader.read_table(header.e_phoff, header.e_phnum, &segments))
    return damaged("it ends before its program headers");
  for (const Segment& segment : segments) {
    if (segment.p_type == PT_INTERP && !reader.read_text(segment.p_offset, &file->interpreter))
      return damaged("the name of its interpreter lies outside of the file");
    if (segment.p_type != PT_DYNAMIC) continue;
    if (Status read = read_dynamic(reader, segments, segment, file); !read) return read;
  }
  return Ok{};
}

}  // namespace

Result<ElfFile> read_elf(int fd) {
  struct stat st {};
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return Error{"is no regular file"};
  const Reader reader(fd, static_cast<uint64_t>(st.st_size));
  ElfFile file;
  unsigned char ident[EI_NIDENT];
  if (!reader.read(0, ident, sizeof ident) || memcmp(ident, ELFMAG, SELFMAG) != 0)
    return Error{"is no ELF file"};
  file.elf_class = ident[EI_CLASS];
  file.data = ident[EI_DATA];
  file.native = file.elf_class == kOwnClass && file.data == kOwnData;
  unsigned char machine[2];  // stands at the same place in both classes
  if (!reader.read(EI_NIDENT + 2, machine, sizeof machine)) return damaged("its header is cut off");
  const bool big = file.data == ELFDATA2MSB;
  file.machine = static_cast<uint16_t>(machine[big ? 0 : 1] << 8 | machine[big ? 1 : 0]);
  if (!file.native) return file;
  Header header;
  if (!reader.read(0, &header, sizeof header)) return damaged("its header is cut off");
  if (Status read = read_segments(reader, header, &file); !read) return read.error();
  file.go = made_by_go(reader, header);
  return file;
}

std::string machine_name(const ElfFile& file) {
  const bool narrow = file.elf_class == ELFCLASS32;
  switch (file.machine) {
    case EM_X86_64:
      return narrow ? "x32" : "x86-64";
    case EM_386:
      return "32-bit x86";
    case EM_AARCH64:
      return "AArch64";
    case EM_ARM:
      return "32-bit ARM";
    case EM_RISCV:
      return narrow ? "32-bit RISC-V" : "RISC-V";
    default:
      return "machine " + std::to_string(file.machine) + (narrow ? ", 32-bit" : "");
  }
}

}  // namespace wbshim::ctl
