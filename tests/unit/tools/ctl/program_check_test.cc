#include "tools/ctl/program_check.h"

#include <doctest/doctest.h>
#include <elf.h>

using namespace wbshim;
using namespace wbshim::ctl;

namespace {

ElfFile ordinary() {
  ElfFile elf;
  elf.native = true;
  elf.machine = EM_X86_64;
  elf.interpreter = "/lib64/ld-linux-x86-64.so.2";
  elf.needed = {"libc.so.6"};
  return elf;
}

Finding only(const ElfFile& elf, bool real, bool inside = false, bool other_user = false) {
  ProgramFacts facts;
  facts.name = "/p";
  facts.inside = inside;
  facts.other_user = other_user;
  facts.elf = elf;
  const Findings found = judge_program(facts, {"/wb", "/s/tree", real, EM_X86_64});
  REQUIRE(found.size() == 1);
  CHECK(found[0].what == "program");
  CHECK(found[0].found.find('\n') == std::string::npos);
  return found[0];
}

void check_blind(const ElfFile& elf, const char* word, bool other_user = false) {
  const Finding outside = only(elf, false, false, other_user);
  CHECK(outside.level == Level::Error);
  CHECK(outside.found.find(word) != std::string::npos);
  CHECK(outside.mend.find("run --mount") != std::string::npos);
  const Finding mounted = only(elf, true, false, other_user);
  CHECK(mounted.level == Level::Warning);
  CHECK(mounted.mend.find("scan") != std::string::npos);
}

}  // namespace

TEST_CASE("an ordinary program") {
  CHECK(only(ordinary(), false).level == Level::Ok);
}

TEST_CASE("programs that the library is not in") {
  ElfFile elf = ordinary();
  elf.interpreter.clear();
  check_blind(elf, "statically linked");
  elf = ordinary();
  elf.go = true;
  check_blind(elf, "Go");
  elf = ordinary();
  elf.machine = EM_AARCH64;
  check_blind(elf, "AArch64");
  elf = ordinary();
  elf.native = false;
  elf.elf_class = ELFCLASS32;
  elf.machine = EM_386;
  check_blind(elf, "32-bit x86");
  check_blind(ordinary(), "setuid", true);
}

TEST_CASE("what the kernel and ld.so look for under the prefix") {
  ElfFile elf = ordinary();
  elf.library_paths = {"/usr/lib", "/wb/lib", "/wbx"};
  Finding found = only(elf, false);
  CHECK(found.level == Level::Error);
  CHECK(found.mend.find("LD_LIBRARY_PATH=/s/tree/lib") != std::string::npos);
  CHECK(only(elf, true).level == Level::Ok);
  CHECK(only(elf, false, true).level == Level::Ok);  // under the prefix the library tells ld.so
  elf = ordinary();
  elf.interpreter = "/wb/lib/ld.so";
  CHECK(only(elf, false).level == Level::Error);
  CHECK(only(elf, true).level == Level::Ok);
}

TEST_CASE("musl and AddressSanitizer") {
  ElfFile elf = ordinary();
  elf.interpreter = "/lib/ld-musl-x86_64.so.1";
  CHECK(only(elf, false).level == Level::Warning);
  elf = ordinary();
  elf.needed.insert(elf.needed.begin(), "libasan.so.8");
  CHECK(only(elf, false).mend.find("verify_asan_link_order=0") != std::string::npos);
}

TEST_CASE("scripts, and what could not be read") {
  ProgramFacts facts;
  facts.name = "/s";
  facts.script = "/wb/bin/sh";
  const ProgramPlace outside{"/wb", "/s/tree", false, EM_X86_64};
  CHECK(judge_program(facts, outside).at(0).level == Level::Warning);
  facts.script = "/bin/sh";
  CHECK(judge_program(facts, outside).at(0).level == Level::Ok);
  facts.trouble = "cannot be read";
  CHECK(judge_program(facts, outside).at(0).level == Level::Error);
}
