// `run --mount`: a private mount namespace in which the prefix is a real directory, the staging
// tree itself, so that what no library can interpose finds it there: static programs, raw system
// calls, ld.so's RUNPATH, the kernel's `#!`.
//
// The user stays who he is. With CAP_SYS_ADMIN the namespace is made directly; else inside a user
// namespace in which this user and group stand for themselves and nobody else is known (files of
// others show as nobody's; sudo and ssh complain). Capabilities of a user namespace end with the
// next exec of an ordinary user; therefore everything happens here, in the process that execs next.
//
// Where the prefix is absent:
//   - directly below /: the root becomes a read-only directory in memory into which every entry of
//     / is bound; nothing is made on disk.
//   - elsewhere, and its parent is ours to write: the directory is made, and stays, empty.
//   - elsewhere, and it is not: the parent is covered in the same way as the root, which nobody
//     misses, since this user could make nothing in it anyway.
// An existing one is covered. Changes of the host's mounts arrive here; none of ours leaves.
#pragma once

#include "core/util/config.h"
#include "tools/ctl/report.h"

namespace wbshim::ctl {

// Moves this process, which must have one thread, into such a namespace; the working directory
// stays the same one. A failure has status 2, and the line says what could not be had and how to
// mend it; the process may then be half way and must end.
Outcome enter_mount_namespace(const Config& config);

// Whether that could be had, tried out as far as nothing is made on disk. This process must end
// afterwards, too.
Outcome try_mount_namespace(const Config& config);

}  // namespace wbshim::ctl
