"""Small C programs that a test compiles for itself."""
import os

from lib import process

# Preloaded into the uploader: the kernel gives no inotify (WBTEST_WATCHES=none, for the first caller), or only so many watches.
FEW_WATCHES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
static int made, added;
int inotify_init1(int flags) {
  const char* most = getenv("WBTEST_WATCHES");
  if (most && !strcmp(most, "none") && !made++) { errno = EMFILE; return -1; }
  return ((int (*)(int))dlsym(RTLD_NEXT, "inotify_init1"))(flags);
}
int inotify_add_watch(int fd, const char* path, uint32_t mask) {
  const char* most = getenv("WBTEST_WATCHES");
  if (most && strcmp(most, "none") && added++ >= atoi(most)) { errno = ENOSPC; return -1; }
  return ((int (*)(int, const char*, uint32_t))dlsym(RTLD_NEXT, "inotify_add_watch"))(fd, path, mask);
}
"""

# A program that no preloaded library reaches when it is linked statically: a bit of everything in the directory.
STATIC = r"""
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char** argv) {
  if (argc < 2 || chdir(argv[1])) return 1;
  int fd = open("plain", O_CREAT | O_WRONLY, 0644);
  if (write(fd, "twelve bytes", 12) != 12 || close(fd)) return 2;
  fd = open("moved", O_CREAT | O_WRONLY, 0640);
  if (write(fd, "x", 1) != 1 || close(fd) || rename("moved", "there")) return 3;
  if (mkdir("d", 0755) || mkdir("d/e", 0700) || symlink("e", "d/l") || link("plain", "d/hard")) return 4;
  close(open("d/e/empty", O_CREAT | O_RDONLY, 0600));
  return 0;
}
"""


def program(text, path, *flags):
    """Compiles; path is the result."""
    with open(path + ".c", "w", encoding="ascii") as file:
        file.write(text)
    done = process.run(["cc", "-O1", "-o", path, path + ".c", *flags], 60)
    os.unlink(path + ".c")
    if done.returncode != 0:
        raise AssertionError(f"cc: {done.stderr.decode()}")
    return path


def few_watches(path):
    return program(FEW_WATCHES, path, "-shared", "-fPIC", "-ldl")
