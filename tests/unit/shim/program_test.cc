#include "shim/program.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>

using namespace wbshim;

namespace {

struct File {
  char name[32] = "/tmp/wbshim-program-XXXXXX";
  explicit File(const std::string& text) {
    close(mkstemp(name));
    std::ofstream(name, std::ios::binary) << text;
  }
  ~File() { unlink(name); }
};

struct Read {
  bool is_script;
  std::string interpreter, argument;
};

Read read(const std::string& text) {
  File file(text);
  program::Script script;
  Read result{program::read_script(file.name, &script), "", ""};
  if (result.is_script) result.interpreter = script.interpreter;
  if (result.is_script && script.argument) result.argument = script.argument;
  return result;
}

}  // namespace

TEST_CASE("program: the first line as the kernel reads it") {
  CHECK(read("#!/bin/sh\necho").interpreter == "/bin/sh");
  CHECK(read("#! \t/bin/sh -e -x \nbody").interpreter == "/bin/sh");
  CHECK(read("#! \t/bin/sh -e -x \nbody").argument == "-e -x");
  CHECK(read("#!/bin/sh").interpreter == "/bin/sh");
  CHECK_FALSE(read("#!\n").is_script);
  CHECK_FALSE(read("echo").is_script);
  CHECK_FALSE(read("").is_script);
  CHECK_FALSE(read("\x7f"
                   "ELF")
                  .is_script);
}

namespace {

std::string this_program() {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::string elf(65536, '\0');
  self.read(elf.data(), 65536);
  return elf;
}

}  // namespace

TEST_CASE("program: a damaged ELF file has no traits") {
  const std::string elf = this_program();
  for (size_t cut : {size_t{1}, size_t{4}, size_t{63}, size_t{64}, size_t{65}, size_t{120},
                     size_t{4096}, size_t{65536}}) {
    File file(elf.substr(0, cut));
    Scratch room;
    const program::Traits traits = program::inspect(file.name, &room);
    CHECK(traits.libraries.size == 0);
    CHECK_FALSE(traits.foreign);
  }
}

TEST_CASE("program: another class, another machine, another libc are foreign") {
  const std::string elf = this_program();
  auto foreign = [](const std::string& text) {
    File file(text);
    Scratch room;
    return program::inspect(file.name, &room).foreign;
  };
  CHECK_FALSE(foreign(elf));
  std::string other = elf;
  other[4] = 1;  // ELFCLASS32
  CHECK(foreign(other));
  other = elf;
  other[18] = 8;  // EM_MIPS
  other[19] = 0;
  CHECK(foreign(other));
  other = elf;
  const size_t loader = other.find("/ld-linux");
  REQUIRE(loader != std::string::npos);
  other.replace(loader, 9, "/ld-muslx");
  CHECK(foreign(other));
  CHECK_FALSE(foreign("#!/nowhere/sh\n"));
}

TEST_CASE("program: headers where none can stand are passed over") {
  std::string elf = this_program();
  elf[32] = static_cast<char>(elf[32] + 2);  // e_phoff
  File file(elf);
  Scratch room;
  CHECK_FALSE(program::inspect(file.name, &room).foreign);
}
