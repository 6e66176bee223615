#include "tools/ctl/elf_file.h"

#include <doctest/doctest.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bit>
#include <cstddef>

#include "core/util/fd.h"

using namespace wbshim;
using namespace wbshim::ctl;

namespace {

// A file without a name.
Fd file_of(const std::string& bytes) {
  char name[] = "/tmp/wbshim-elf-XXXXXX";
  Fd fd(mkstemp(name));
  REQUIRE(fd);
  REQUIRE(unlink(name) == 0);
  REQUIRE(write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return fd;
}

Result<ElfFile> read_bytes(const std::string& bytes) {
  const Fd fd = file_of(bytes);
  return read_elf(fd.get());
}

// The least that is a program: a loaded segment over all, an interpreter, a dynamic section.
struct Image {
  ElfW(Ehdr) header = {};
  ElfW(Phdr) segments[3] = {};
  ElfW(Dyn) dynamic[5] = {};
  char interpreter[32] = "/lib/ld-test.so.1";
  char strings[64] = "\0libx.so.1\0/wb/lib::/other\0/rpath";

  Image() {
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    header.e_ident[EI_DATA] =
        std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
    header.e_machine = EM_X86_64;
    header.e_phoff = offsetof(Image, segments);
    header.e_phentsize = sizeof segments[0];
    header.e_phnum = 3;
    segments[0] = {};
    segments[0].p_type = PT_LOAD;
    segments[0].p_vaddr = 0x1000;
    segments[0].p_filesz = sizeof(Image);
    segments[1].p_type = PT_INTERP;
    segments[1].p_offset = offsetof(Image, interpreter);
    segments[2].p_type = PT_DYNAMIC;
    segments[2].p_offset = offsetof(Image, dynamic);
    segments[2].p_filesz = sizeof dynamic;
    set(0, DT_STRTAB, 0x1000 + offsetof(Image, strings));
    set(1, DT_NEEDED, 1);
    set(2, DT_RUNPATH, 11);
    set(3, DT_RPATH, 27);
  }
  void set(size_t i, int tag, size_t value) {
    dynamic[i].d_tag = tag;
    dynamic[i].d_un.d_val = value;
  }
  std::string bytes() const {
    return std::string(reinterpret_cast<const char*>(this), sizeof *this);
  }
};

std::string trouble(const Image& image) {
  const auto read = read_bytes(image.bytes());
  return read ? "" : read.message();
}

}  // namespace

TEST_CASE("this program") {
  const Fd fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const auto elf = read_elf(fd.get());
  REQUIRE(elf);
  CHECK(elf.value().native);
  CHECK(elf.value().interpreter.find("ld") != std::string::npos);
  CHECK_FALSE(elf.value().needed.empty());
  CHECK_FALSE(elf.value().go);
}

TEST_CASE("interpreter, libraries and RUNPATH before RPATH") {
  Image image;
  auto elf = read_bytes(image.bytes());
  REQUIRE(elf);
  CHECK(elf.value().interpreter == "/lib/ld-test.so.1");
  CHECK(elf.value().needed == std::vector<std::string>{"libx.so.1"});
  CHECK(elf.value().library_paths == std::vector<std::string>{"/wb/lib", "/other"});
  CHECK(machine_name(elf.value()) == "x86-64");
  image.set(2, DT_NULL, 0);
  elf = read_bytes(image.bytes());
  REQUIRE(elf);
  CHECK(elf.value().library_paths.empty());  // what stands behind the end does not count
  image.set(2, DT_DEBUG, 0);
  elf = read_bytes(image.bytes());
  REQUIRE(elf);
  CHECK(elf.value().library_paths == std::vector<std::string>{"/rpath"});
}

TEST_CASE("a section of Go's linker, found also where others are damaged") {
  Image image;
  const char names[] = "\0.shstrtab\0.go.buildinfo";
  ElfW(Shdr) sections[3] = {};
  sections[1].sh_name = 0xffff;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_name = 1;
  sections[2].sh_offset = sizeof(Image) + sizeof sections;
  sections[2].sh_size = sizeof names;
  image.header.e_shoff = sizeof(Image);
  image.header.e_shentsize = sizeof sections[0];
  image.header.e_shnum = 3;
  image.header.e_shstrndx = 2;
  const auto go = [&] {
    const auto elf = read_bytes(
        image.bytes() + std::string(reinterpret_cast<const char*>(sections), sizeof sections) +
        std::string(names, sizeof names));
    return elf && elf.value().go;
  };
  CHECK_FALSE(go());
  sections[1].sh_name = 11;
  CHECK(go());
  sections[2].sh_size = ~static_cast<decltype(sections[2].sh_size)>(0);
  CHECK_FALSE(go());
  sections[2].sh_size = sizeof names;
  image.header.e_shstrndx = 3;
  CHECK_FALSE(go());
}

TEST_CASE("another kind of machine is named, and not looked into") {
  Image image;
  image.header.e_ident[EI_CLASS] = ELFCLASS32;
  image.header.e_machine = EM_386;
  image.header.e_phoff = ~size_t{0};
  const auto elf = read_bytes(image.bytes());
  REQUIRE(elf);
  CHECK_FALSE(elf.value().native);
  CHECK(machine_name(elf.value()) == "32-bit x86");
}

TEST_CASE("what is no ELF file, and what lies outside of one") {
  CHECK(read_bytes("").message() == "is no ELF file");
  CHECK(read_bytes("#!/bin/sh\necho a script that is longer than a header\n").message() ==
        "is no ELF file");
  CHECK(read_bytes(Image().bytes().substr(0, 18)).message().find("is ") == 0);
  Image far;
  far.header.e_phoff = ~static_cast<decltype(far.header.e_phoff)>(0) - 8;
  CHECK(trouble(far).find("program headers") != std::string::npos);
  Image odd;
  odd.header.e_phentsize = 1;
  CHECK(trouble(odd).find("another size") != std::string::npos);
  Image many;
  many.header.e_phnum = 0xffff;
  CHECK(trouble(many).find("program headers") != std::string::npos);
  Image interpreter;
  interpreter.segments[1].p_offset = sizeof(Image);
  CHECK(trouble(interpreter).find("interpreter") != std::string::npos);
  Image dynamic;
  dynamic.segments[2].p_filesz = ~static_cast<decltype(far.header.e_phoff)>(0);
  CHECK(trouble(dynamic).find("dynamic section") != std::string::npos);
  Image strings;
  strings.set(0, DT_STRTAB, 0x10);
  CHECK(trouble(strings).find("string table") != std::string::npos);
  Image name;
  name.set(1, DT_NEEDED, ~size_t{0});
  CHECK(trouble(name).find("a name") != std::string::npos);
  Image endless;
  memset(endless.strings, 'x', sizeof endless.strings);
  CHECK(trouble(endless).find("a name") != std::string::npos);
}

TEST_CASE("cut off anywhere, or with any bytes turned, it is read or refused") {
  const std::string whole = Image().bytes();
  for (size_t n = 0; n < whole.size(); n += 3) (void)read_bytes(whole.substr(0, n));
  uint64_t state = 1;  // the same bytes each time
  const auto random = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(state >> 33);
  };
  for (int i = 0; i < 3000; i++) {
    std::string bytes = whole;
    for (int k = 0; k < 4; k++) bytes[random() % bytes.size()] = static_cast<char>(random());
    (void)read_bytes(bytes);
  }
}
