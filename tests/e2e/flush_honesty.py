#!/usr/bin/env python3
"""What shim-ctl flush answers when something is in its way: success only if everything is stored."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402


def objects(v):
    """Keys in the default file:// store, without the volume's mark."""
    found = set()
    store = os.path.join(v.staging, "store")
    for directory, below, files in os.walk(store):
        below[:] = [b for b in below if b != ".wbshim"]
        found |= {os.path.relpath(os.path.join(directory, name), store) for name in files}
    return found - {".wbshim-volume"}


def behind_its_back(v, levels, name):
    """A chain of directories and a file at its end, made past the library."""
    here = os.open(v.tree, os.O_PATH)
    for _ in range(levels):
        if not os.access(name, os.F_OK, dir_fd=here):
            os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_PATH, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("end", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here))
    os.close(here)


@case("a place that cannot be looked into: named, and flush fails; mended, it succeeds")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        behind_its_back(v, 22, "n" * 200)  # longer than any path may be
        v.sh("echo 1 > $WBSHIM_PREFIX/f")
        done = v.ctl("flush")
        expect(done.returncode, 1, "exit status")
        cases.expect_in("unreadable", (done.stdout + done.stderr).decode(), "the answer")
        expect("f" in objects(v), True, "the readable rest is stored")
        cases.expect_in("not looked after", v.log(), "the log")
        process.run(["rm", "-r", os.path.join(v.tree, "n" * 200)], 20)
        v.ctl_ok("flush")


@case("a tree deeper than there are descriptors: all of it is found")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start_redis()
        child = process.start(["prlimit", "--nofile=64:64", build.UPLOADER], env=v.tool_env())
        wait.until(lambda: v.uploader_pid() == child.pid and os.path.exists(os.path.join(v.staging, "run", "uploader.sock")), 60, "the uploader")
        behind_its_back(v, 200, "d")
        v.ctl_ok("flush")
        expect("/".join(["d"] * 200) + "/end" in objects(v), True, "the file at the end")


@case("Redis emptied between two flushes, under a connection that lasts: everything is known and stored again")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir d; for i in 1 2 3; do echo $i > d/$i; done")
        with v.redis() as redis:
            redis("FLUSHALL")
        v.ctl_ok("flush")
        expect(objects(v), {"d/1", "d/2", "d/3"}, "objects")
        expect(v.disagreements(), [], "records")
        with v.redis() as redis:
            redis("FLUSHALL")
        wait.until(lambda: not v.disagreements(), 60, "the records, without a flush")


def flush_and_meddle(meddle):
    """A flush of many files, in the middle of which Redis loses something."""
    with volume.Volume(UPLOAD_DELAY="1h", MAX_UPLOADS="1") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir d; for i in $(seq 1500); do echo $i > d/$i; done")
        child = process.start([build.SHIM_CTL, "flush"], env=v.tool_env())
        wait.until(lambda: objects(v), 60, "the first object")
        with v.redis() as redis:
            meddle(v, redis)
        unfinished = 1500 - len(objects(v))
        expect(child.wait(60), 0, "exit status")
        expect(unfinished > 0, True, "flush was still at work")
        expect(len(objects(v)), 1500, "objects")
        expect(v.disagreements(), [], "records")


@case("Redis emptied in the middle of a flush: it succeeds when everything is stored, not before")
def _():
    flush_and_meddle(lambda v, redis: redis("FLUSHALL"))


@case("the delay queue lost in the middle of a flush: likewise")
def _():
    flush_and_meddle(lambda v, redis: redis("DEL", *redis.keys(v.key("due:*"))))


@case("a start after a polite stop finds what came into the tree meanwhile")
def _():
    with volume.Volume(UPLOAD_DELAY="200ms") as v:
        v.start()
        v.ctl_ok("stop")
        behind_its_back(v, 2, "d")
        v.start()
        wait.until(lambda: objects(v) == {"d/d/end"}, 60, "the object")


@case("a directory that flush's own deletions empty has its object when flush answers")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir -p a/b/c; echo 1 > a/b/c/f")
        v.ctl_ok("flush")
        expect(objects(v), {"a/b/c/f"}, "objects before")
        v.sh("rm -r $WBSHIM_PREFIX/a/b/c")
        v.ctl_ok("flush")
        expect(v.due(), {}, "what is still queued")


@case("a dead letter goes with its file")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; echo 1 > gone; echo 2 > stays")
        v.ctl_ok("stop")
        v.start()
        pid = v.uploader_pid()
        with v.redis() as redis:
            key = next(iter(redis.keys(v.key("due:*")))).decode().replace(":due:", ":dead:")
            for name in ("gone", "stays"):
                redis("HSET", key, name, json.dumps({"class": "X", "message": "x", "attempts": 1, "time": 1}))
        os.kill(pid, 9)
        v.start()  # at once: the lock of the killed one is waited for
        v.sh("rm $WBSHIM_PREFIX/gone")
        with v.redis() as redis:
            wait.until(lambda: set(redis.hash(key)) == {b"stays"}, 60, "one letter")


cases.main()
