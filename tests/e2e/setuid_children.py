#!/usr/bin/env python3
"""Setuid programs started by an ordinary user, with secure execution really in force: the loader drops LD_PRELOAD, they run as if there
were no library, and do not see the prefix; sudo and su behave as without it. What such a program changes in the tree is found.

Ordinary user: "nobody" when the tests run as root; else who runs them, and sudo makes the setuid program.
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, compiled, process, scratch, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402

NOBODY = 65534
ROOT = os.geteuid() == 0
ORDINARY = ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if ROOT else []
# Says what the loader and the environment left of the library; then looks for each PATH, or runs a command.
PROGRAM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
extern char** environ;
int main(int n, char** v) {
  int mapped = 0;
  char line[4096];
  FILE* maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) mapped |= strstr(line, "libwbshim") != NULL;
  printf("secure %lu uid %d euid %d preload %d mapped %d\n", getauxval(AT_SECURE), (int)getuid(), (int)geteuid(), getenv("LD_PRELOAD") != NULL, mapped);
  fflush(stdout);
  if (n > 2 && !strcmp(v[1], "exec")) return execv(v[2], v + 2), 9;
  if (n > 2 && !strcmp(v[1], "write")) {
    FILE* file = fopen(v[2], "w");
    return !file || fputs("written", file) < 0 || fclose(file) ? printf("%s\n", strerror(errno)), 1 : 0;
  }
  for (int i = 1; i < n; i++) printf("%s\n", access(v[i], F_OK) ? strerror(errno) : "there");
  return 0;
}
"""


def as_root(*argv):
    done = process.run([*([] if ROOT else ["/usr/bin/sudo", "-n"]), *argv], 60)
    expect((done.returncode, done.stderr), (0, b""), " ".join(argv))


class Side(volume.Volume):
    """The volume of an ordinary user, a setuid program of root and the same without that bit, all readable by the user."""

    def __init__(self, **options):
        super().__init__(where="/var/tmp", UPLOAD_DELAY="1h", **options)
        self.bin = self.stack.enter_context(scratch.directory("/var/tmp", "wbsetuid-"))
        os.chmod(self.bin, 0o755)
        self.library = shutil.copy(build.LIBRARY, self.bin)
        self.plain = compiled.program(PROGRAM, os.path.join(self.bin, "plain"))
        self.secure = self.setuid("secure")

    def setuid(self, name, directory=None):
        path = os.path.join(directory or self.bin, name)
        as_root("/usr/bin/install", "-o", "root", "-m", "4755", self.plain, path)
        return path

    def begin(self, *, uploader=False):
        os.makedirs(self.staging, exist_ok=True)
        if uploader:
            self.start()
        else:
            self.start_redis()
        for path in [self.base, *(os.path.join(d, n) for d, dirs, files in os.walk(self.base) for n in dirs + files)]:
            if ROOT:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        return self

    def user(self, *argv, library=True):
        env = dict(self.program_env(), LD_PRELOAD=self.library) if library else {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}
        done = process.run([*ORDINARY, *argv], 60, env=env, cwd="/")
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def said(secure, euid, preload, uid=NOBODY if ROOT else os.getuid()):
    return f"secure {secure} uid {uid} euid {euid} preload {preload} mapped {preload}\n"


USER = NOBODY if ROOT else os.getuid()


@case("the loader drops the library: a setuid program sees neither it nor the prefix, and its output is its own")
def _():
    with Side() as v:
        v.begin()
        p = volume.PREFIX
        expect(v.user("/bin/sh", "-c", f"mkdir {p}/d; echo x > {p}/d/f"), (0, "", ""), "the user's own program")
        expect(v.user(v.plain, p + "/d/f"), (0, said(0, USER, 1) + "there\n", ""), "the same program without the bit")
        expect(v.user(v.secure, p + "/d/f", "/etc/passwd"), (0, said(1, 0, 0) + "No such file or directory\nthere\n", ""), "setuid")
        expect(v.user("/bin/sh", "-c", f"{v.secure} {p}/d; {v.plain} {p}/d"), (0, said(1, 0, 0) + "No such file or directory\n" + said(0, USER, 1) + "there\n", ""), "from a shell")
        # An unprivileged child of it: the variable is gone, nobody puts it back.
        expect(v.user(v.secure, "exec", v.plain, p + "/d"), (0, said(1, 0, 0) + f"secure 1 uid {USER} euid 0 preload 0 mapped 0\nNo such file or directory\n", ""), "its child")
        expect(v.user(v.secure, "write", p + "/d/new"), (1, said(1, 0, 0) + "No such file or directory\n", ""), "fails visibly")
        expect(v.disagreements(), [], "records")


@case("a setuid program that lies under the prefix is started, by its name, by PATH and from a directory")
def _():
    with Side() as v:
        v.begin()
        p = volume.PREFIX
        expect(v.user("/bin/sh", "-c", f"mkdir {p}/bin")[0], 0, "mkdir")
        v.setuid("inside", os.path.join(v.tree, "bin"))
        wanted = (0, said(1, 0, 0), "")
        expect(v.user("/bin/sh", "-c", f"{p}/bin/inside"), wanted, "by its name")
        expect(v.user("/bin/sh", "-c", f"PATH={p}/bin; inside"), wanted, "by PATH")
        expect(v.user("/bin/sh", "-c", f"cd {p}/bin; ./inside"), wanted, "from its directory")
        expect(v.user("/usr/bin/env", p + "/bin/inside"), wanted, "by env")
        expect(v.user("/usr/bin/stat", "-c", "%a %u", p + "/bin/inside"), (0, "4755 0\n", ""), "its bits")


@case("what it writes by a relative path is found by the uploader")
def _():
    with Side() as v:
        v.begin(uploader=True)
        wait.until(lambda: v.ctl_json("status")["uploader"]["status"]["counters"]["scans"] == 1, 60, "the scan at start")
        done = v.user("/bin/sh", "-c", f"mkdir {volume.PREFIX}/d && cd {volume.PREFIX}/d && {v.secure} write relative")
        expect(done, (0, said(1, 0, 0), ""), "the program")
        wait.promised(lambda: "d/relative" in v.records(), 2, "its record")
        expect((v.disagreements(), v.records()["d/relative"]["size"]), ([], 7), "records, size")


@case("sudo, su and other setuid programs of the system: the same status and output as without the library")
def _():
    with Side() as v:
        v.begin()
        compared = 0
        for argv in (["sudo", "-n", "true"], ["sudo", "-n", "-l"], ["sudo", "-V"], ["sudo", "-K"], ["su", "--version"], ["su", "nosuchuser", "-c", "true"],
                     ["passwd", "-S"], ["chsh", "-s", "/nowhere/shell"], ["mount"], ["umount", "/nowhere"], ["newgrp", "nosuchgroup"]):
            if not shutil.which(argv[0]):
                continue
            compared += 1
            bare = v.user(*argv, library=False)
            expect(v.user(*argv), bare, " ".join(argv))
            expect(v.user("/bin/sh", "-c", " ".join(argv)), bare, "from a shell: " + " ".join(argv))
        expect(compared >= 6, True, f"{compared} compared")
        expect(v.disagreements(), [], "records")


@case("doctor names a setuid program of another user as one that does not see the prefix")
def _():
    with Side() as v:
        v.begin()
        for part, source in (("tools", build.SHIM_CTL), ("shim", build.LIBRARY)):  # where the user may read them
            os.mkdir(os.path.join(v.bin, part))
            shutil.copy(source, os.path.join(v.bin, part))
        done = process.run([*ORDINARY, os.path.join(v.bin, "tools", "shim-ctl"), "doctor", v.secure], 60, env=v.tool_env(), cwd="/")
        line = next((row for row in done.stdout.decode().splitlines() if v.secure in row), "")
        expect_in("ld.so ignores the library in it, so it does not see the prefix", line, f"doctor's line; all: {done.stdout.decode()}{done.stderr.decode()}")
        print(f"    {line}")


cases.main()
