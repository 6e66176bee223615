#include <algorithm>

#include "core/util/display.h"
#include "tools/ctl/program_check.h"

namespace wbshim::ctl {
namespace {

constexpr const char* kUseMount = "use `shim-ctl run --mount`";

bool is_under(const std::string& path, const std::string& prefix) {
  return !prefix.empty() && path.compare(0, prefix.size(), prefix) == 0 &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

class Judge {
 public:
  Judge(const ProgramFacts& facts, const ProgramPlace& place) : facts_(facts), place_(place) {}

  Findings judge() {
    if (!facts_.trouble.empty()) {
      add(Level::Error, facts_.trouble, "");
      return std::move(found_);
    }
    if (facts_.other_user)
      blind("setuid, setgid or with capabilities: ld.so ignores the library in it");
    if (!facts_.script.empty()) judge_script();
    if (facts_.elf) judge_elf(*facts_.elf);
    if (found_.empty())
      add(Level::Ok, "sees the prefix, and its changes are recorded at close", "");
    return std::move(found_);
  }

 private:
  void add(Level level, const std::string& found, const std::string& mend) {
    found_.push_back({level, "program", printable(facts_.name) + ": " + found, mend});
  }

  // The library is not in it, so nothing maps the prefix for it.
  void blind(const std::string& why) {
    if (place_.real)
      add(Level::Warning, why,
          "it sees the prefix here, but its changes are found by the uploader's watch and scan, "
          "not at close");
    else
      add(Level::Error, why + ", so it does not see the prefix",
          std::string(kUseMount) +
              " (its changes are then found by the uploader's watch and scan, not at close)");
  }

  // The kernel or ld.so looks for it, and finds it where the prefix is real.
  void needs_real(const std::string& why) {
    if (!place_.real) add(Level::Error, why, kUseMount);
  }

  void judge_script() {
    if (!is_under(facts_.script, place_.prefix) || place_.real) return;
    add(Level::Warning,
        "its first line names " + printable(facts_.script) +
            ", which the kernel cannot see; it is found when a program with the library starts it",
        "for static programs, sudo and the like " + std::string(kUseMount));
  }

  void judge_elf(const ElfFile& elf) {
    if (!elf.native || elf.machine != place_.machine)
      return blind("made for " + machine_name(elf) + ", for which there is no library");
    if (elf.go) return blind("a Go program: it makes system calls by itself");
    if (elf.interpreter.empty()) return blind("statically linked: it makes system calls by itself");
    if (is_under(elf.interpreter, place_.prefix))
      needs_real("its interpreter is " + printable(elf.interpreter) +
                 ", which the kernel cannot see");
    const std::string loader = elf.interpreter.substr(elf.interpreter.rfind('/') + 1);
    if (loader.rfind("ld-musl", 0) == 0 || elf.interpreter.rfind("/system/", 0) == 0)
      add(Level::Warning, "uses " + printable(elf.interpreter) + ", not glibc, which is not tested",
          kUseMount);
    for (const std::string& path : elf.library_paths) {
      // Of programs under the prefix the library tells ld.so itself.
      if (!is_under(path, place_.prefix) || facts_.inside) continue;
      needs_real("its RUNPATH has " + printable(path) + ", which ld.so cannot see");
      if (!place_.real)
        found_.back().mend +=
            ", or set LD_LIBRARY_PATH=" + place_.tree + path.substr(place_.prefix.size());
    }
    judge_sanitizer(elf);
  }

  void judge_sanitizer(const ElfFile& elf) {
    const bool asan = std::any_of(elf.needed.begin(), elf.needed.end(), [](const auto& name) {
      return name.rfind("libasan.so", 0) == 0 || name.rfind("libclang_rt.asan", 0) == 0;
    });
    if (asan && !facts_.asan_order_off)
      add(Level::Error, "has the AddressSanitizer runtime, which ends when something is preloaded",
          "set ASAN_OPTIONS=verify_asan_link_order=0, or link it with -static-libasan");
  }

  const ProgramFacts& facts_;
  const ProgramPlace& place_;
  Findings found_;
};

}  // namespace

Findings judge_program(const ProgramFacts& facts, const ProgramPlace& place) {
  return Judge(facts, place).judge();
}

}  // namespace wbshim::ctl
