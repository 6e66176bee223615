// What other processes can see of this one. /proc/PID/environ and cmdline show the memory in which
// the kernel handed environment and arguments over, core files and ptrace all of it.
//
// Thread safety: before the first thread.
#pragma once

#include <string_view>

namespace wbshim {

// Takes every variable that may be secret (AWS keys, URLs with a password) out of that memory and
// overwrites it there; getenv() finds it as before.
void hide_environment();

// Overwrites the passwords in options that take a URL, up to "--". What is needed of the words must
// have been copied.
void hide_arguments(int argc, char** argv);

// No core file, and no other process of the same user may look into the memory.
void refuse_inspection();

bool is_secret_variable(std::string_view name, std::string_view value);

}  // namespace wbshim
