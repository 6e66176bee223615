// Program files: the library and shim-ctl doctor read the headers of whatever is about to be
// started.
#include "shim/program.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/fuzz/fuzz.h"
#include "tools/ctl/elf_file.h"

using namespace wbshim;
using fuzz::demand;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Fd file(memfd_create("program", MFD_CLOEXEC));
  static const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  demand(ftruncate(file.get(), 0) == 0 &&
             pwrite(file.get(), data, size, 0) == static_cast<ssize_t>(size),
         "memory for the file");
  program::Script script;
  if (program::read_script(path.c_str(), &script))
    demand(script.interpreter && strlen(script.interpreter) < 256,
           "an interpreter's name is short");
  Scratch room;
  const program::Traits traits = program::inspect(path.c_str(), &room);
  demand(traits.libraries.size <= Scratch::kBig, "texts stay in their room");
  if (const auto elf = ctl::read_elf(file.get())) {
    demand(elf.value().needed.size() <= size, "no more names than bytes");
    (void)ctl::machine_name(elf.value());
  }
  return 0;
}
