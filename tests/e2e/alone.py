#!/usr/bin/env python3
"""Plain LD_PRELOAD without uploader or Redis, and with WBSHIM_META=batch; what the library does to a program that it must not serve."""
import os
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402


def objects(v):
    """Of the default file:// store: {key: bytes}."""
    store = os.path.join(v.staging, "store")
    found = {}
    for directory, below, files in os.walk(store):
        below[:] = [b for b in below if b != ".wbshim"]
        for name in set(files) - {".wbshim-volume"}:
            path = os.path.join(directory, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, store)] = f.read()
    return found


@case("no uploader, no Redis: staged and journalled; a later flush stores all of it")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.sh("cd $WBSHIM_PREFIX; mkdir -p a/b; for i in 1 2 3; do echo $i > a/b/f$i; done; rm a/b/f2; ln -s b a/l; mv a/b/f3 a/g")
        expect(os.path.exists(v.socket), False, "a Redis socket")
        expect(stat.S_IMODE(os.stat(v.staging).st_mode), 0o700, "the staging directory's mode")
        v.ctl_ok("flush")
        found = objects(v)
        expect((found.get("a/b/f1"), found.get("a/g"), "a/b/f2" in found, "a/b/f3" in found), (b"1\n", b"3\n", False, False), "objects")
        expect(v.disagreements(), [], "records")
        v.ctl_ok("stop")


@case("run --flush: starts what is missing, the command's exit status, everything stored")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        done = v.ctl("run", "--flush", "--", "/bin/sh", "-c", "echo x > $WBSHIM_PREFIX/f; echo out; exit 7")
        expect((done.returncode, done.stdout.startswith(b"out\n")), (7, True), f"exit status and output {done.stdout!r} {done.stderr!r}")
        expect(objects(v).get("f"), b"x\n", "the object")
        expect(v.ctl("run", "--", "/bin/sh", "-c", "kill -9 $$").returncode, 137, "a killed command")
        expect(v.ctl("run", "--", "/nowhere/program").returncode in (126, 127), True, "a command that does not exist")


@case("batch: in Redis within a bounded delay, stored like all else")
def _():
    with volume.Volume(META="batch", UPLOAD_DELAY="300ms") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir d; for i in $(seq 50); do echo $i > d/f$i; done; rm d/f9; mv d e; echo last > z")
        wait.until(lambda: not v.disagreements(), 60, "the records")
        wait.until(lambda: objects(v).get("z") == b"last\n" and len(objects(v)) == 50, 60, "the objects")


@case("batch without an uploader: journalled only, never a connection to Redis")
def _():
    with volume.Volume(META="batch") as v:
        v.start_redis()
        v.sh("echo x > $WBSHIM_PREFIX/f")
        with v.redis() as redis:
            expect(redis.keys("*"), [], "keys")
        expect([path for _, path in v.journal()], ["f"], "the journal")


@case("disabled, or without a prefix: the library is inert")
def _():
    for switch in ({"WBSHIM_DISABLE": "1"}, {"WBSHIM_PREFIX": ""}):
        with volume.Volume() as v:
            done = v.run(["/bin/sh", "-c", f"echo x > {volume.PREFIX}/f; echo y > {v.base}/g; cat {v.base}/g"], env=switch)
            expect((b"y\n" in done.stdout, os.path.exists(v.staging)), (True, False), f"{switch}: {done}")


@case("a broken configuration never harms the program")
def _():
    wrong = ({"WBSHIM_REDIS_URL": "nonsense://"}, {"WBSHIM_META": "never"}, {"WBSHIM_UPLOAD_DELAY": "soon"}, {"WBSHIM_VOLUME": "a b"},
             {"WBSHIM_STAGING_DIR": "/proc/cannot"}, {"WBSHIM_STAGING_DIR": "relative"}, {"WBSHIM_PREFIX": "relative"}, {"WBSHIM_PREFIX": "/"},
             {"WBSHIM_DURABILITY": "remote"}, {"WBSHIM_WRITEBACK_MAX_SIZE": "-1"})
    for switch in wrong:
        with volume.Volume() as v:
            done = v.run(["/bin/sh", "-c", f"echo y > {v.base}/g; cat {v.base}/g; ls / > /dev/null && echo fine"], env=switch)
            expect((done.returncode, done.stdout), (0, b"y\nfine\n"), f"{switch}: {done.stderr!r}")


@case("outside the prefix nothing changes, nor does anything appear")
def _():
    with volume.Volume() as v:
        done = v.run(["/bin/sh", "-c", f"cd {v.base}; echo 1 > a; mv a b; mkdir d; ls; cat /proc/wbx 2>&1; cat /proc/w 2>&1; pwd"])
        expect((done.returncode, done.stdout.splitlines()[-1].decode()), (0, v.base), "the program")
        expect(os.path.exists(v.staging), False, "a staging directory")


@case("the library's constructor opens and connects nothing")
def _():
    with volume.Volume() as v:
        v.start_redis()
        trace = os.path.join(v.base, "trace")
        done = process.run(["strace", "-f", "-o", trace, "-E", "LD_PRELOAD=" + build.LIBRARY, "/bin/true"], 20,
                           env={k: x for k, x in v.program_env().items() if k != "LD_PRELOAD"})
        expect(done.returncode, 0, "strace")
        with open(trace, encoding="utf-8", errors="replace") as f:
            calls = [line for line in f if v.staging in line or "socket(" in line or "connect(" in line]
        expect(calls, [], "system calls")


cases.main()
