// A Lua script that runs inside Redis: its name, the SHA-1 for EVALSHA, its text for SCRIPT LOAD
// and EVAL. The scripts stand in core/scripts/, each with its own contract; embed.py makes
// scripts.h from them.
#pragma once

namespace wbshim {

struct Script {
  const char* name;
  const char* sha;  // 40 hex digits
  const char* text;
};

}  // namespace wbshim
