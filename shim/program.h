// A program file: what the kernel and the loader cannot find out for themselves about it.
#pragma once

#include "shim/scratch.h"

namespace wbshim::program {

// The first line of a script, "#!interpreter [argument]", as the kernel reads it: of the first 256
// bytes, one argument.
struct Script {
  char line[257];
  const char* interpreter = nullptr;
  const char* argument = nullptr;  // null: none
};
// path: for the kernel. False: it is no script, none that the kernel would start (its interpreter's
// name does not end within the line), or cannot be read.
bool read_script(const char* path, Script* script);

// What a program needs to be told, or spared, because its loader cannot be interposed.
struct Traits {
  // The RUNPATH (or RPATH) directories that lie under the prefix, under their tree's names, joined
  // by ':', for LD_LIBRARY_PATH. Empty: none.
  Bytes libraries;
  // Its loader could not load this library and would say so, or stop (another machine or class,
  // musl): it is started without.
  bool foreign = false;
  // gcc's AddressSanitizer is a library that insists on coming first.
  bool asan = false;
};

// path: for the kernel; a script is judged by its interpreter. `room` holds the texts. What cannot
// be read has no traits.
Traits inspect(const char* path, Scratch* room);

}  // namespace wbshim::program
