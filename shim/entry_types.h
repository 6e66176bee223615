// The types that entry_points.def mentions. No header here declares them with attributes that
// matter: the wrappers get their libc names by asm label (exports.cc), so libc's own declarations
// (noexcept, nonnull, redirections) never meet ours.
#pragma once

#include <dirent.h>
#include <dlfcn.h>
#include <fts.h>
#include <glob.h>
#include <nl_types.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

struct file_handle;
struct statx;
struct utmp;
struct utmpx;

// Callbacks of walks. The variants with 64 in their names have the same layouts on the 64-bit
// machines that we know (asserted where they are used), so one type serves both.
struct FTW;
using VisitFile = int (*)(const char*, const struct stat*, int);
using VisitNode = int (*)(const char*, const struct stat*, int, struct FTW*);
using CompareNodes = int (*)(const FTSENT**, const FTSENT**);
