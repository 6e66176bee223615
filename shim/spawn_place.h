// Where a child of posix_spawn will be when it starts its program: file actions may take it into another
// directory, from which a relative path leads elsewhere than from here.
#pragma once

#include <spawn.h>

#include "shim/scratch.h"

namespace wbshim {

// The name, for this process, of what the child calls `path`. False: as here, or not to be known.
bool name_in_child(const posix_spawn_file_actions_t* actions, const char* path, Scratch* room);

}  // namespace wbshim
