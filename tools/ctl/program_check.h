// Will a program see the prefix, and if not, why and what helps: `doctor PROGRAM`.
#pragma once

#include <optional>
#include <string>

#include "core/util/config.h"
#include "tools/ctl/elf_file.h"
#include "tools/ctl/finding.h"

namespace wbshim::ctl {

struct ProgramFacts {
  std::string name;             // full path, as programs would call it
  bool inside = false;          // it lies under the prefix
  bool other_user = false;      // setuid or setgid to somebody else, or file capabilities
  std::string script;           // the interpreter of its "#!" line; empty: no script
  std::optional<ElfFile> elf;   // of the program; nothing when it is a script or no ELF file
  std::string trouble;          // why nothing more is known
  bool asan_order_off = false;  // ASAN_OPTIONS has verify_asan_link_order=0
};

// Where it would run.
struct ProgramPlace {
  std::string prefix;
  std::string tree;
  bool real = false;     // the prefix is a real directory here: we are inside of `run --mount`
  uint16_t machine = 0;  // EM_… of our own library
};

// No input or output.
Findings judge_program(const ProgramFacts& facts, const ProgramPlace& place);

// Looks at the program, a path or a name in PATH, and, if it is a script, at its interpreter, too.
Findings check_program(const Config& config, const std::string& word);

}  // namespace wbshim::ctl
