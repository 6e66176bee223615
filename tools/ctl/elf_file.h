// What a program file says about itself, read from its ELF headers. Nothing in the file is trusted:
// every offset and size is checked against the file's length.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/util/result.h"

namespace wbshim::ctl {

struct ElfFile {
  // Of the header. The rest stays empty when these differ from this machine's own kind (`native`).
  unsigned char elf_class = 0;  // ELFCLASS32, ELFCLASS64
  unsigned char data = 0;       // ELFDATA2LSB, ELFDATA2MSB
  uint16_t machine = 0;         // EM_…
  bool native = false;          // class and byte order are those this program is compiled for

  std::string interpreter;                 // PT_INTERP; empty: the kernel starts it alone (static)
  std::vector<std::string> needed;         // DT_NEEDED
  std::vector<std::string> library_paths;  // of RUNPATH, or of RPATH where there is none
  bool go = false;                         // it has a section that Go's linker makes
};

// fd: a regular file, open for reading; its offset does not matter. The error says what is wrong
// ("is no ELF file", "is damaged: …"). Missing or odd section headers are no damage: programs may
// be stripped of them.
Result<ElfFile> read_elf(int fd);

// "x86-64", "32-bit x86", "AArch64", … or the numbers.
std::string machine_name(const ElfFile& file);

}  // namespace wbshim::ctl
