#!/usr/bin/env python3
"""A file over WBSHIM_WRITEBACK_MAX_SIZE is stored when close() returns; a failure is EIO and the copy stays queued."""
import errno
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, s3, stored, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402

LIMIT = {"WRITEBACK_MAX_SIZE": "64K", "UPLOAD_DELAY": "1h"}
# Writes a file of that size and prints what close() said: "closed" or the name of errno.
WRITE = """
import errno, os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(fd, os.urandom(1) * int(sys.argv[2]))
try:
    os.close(fd)
    print("closed")
except OSError as e:
    print(errno.errorcode[e.errno])
"""
server = s3.Server("radosgw")


def write(v, name, size):
    done = v.run(["/usr/bin/python3", "-c", WRITE, f"{volume.PREFIX}/{name}", str(size)])
    expect(done.returncode, 0, f"the writer's exit status; stderr {done.stderr!r}")
    return done.stdout.decode().strip(), done.stderr.decode()


@case("radosgw starts")
def _():
    server.__enter__()


@case("over the limit: stored when close returns; at the limit: not")
def _():
    with stored.StoredVolume(server, **LIMIT) as v:
        v.start()
        expect(write(v, "big", 65537), ("closed", ""), "close of the big file")
        body, _ = v.object("big")
        expect(len(body), 65537, "the object when close has returned")
        expect(v.records()["big"]["state"], "uploaded", "its record")
        expect(write(v, "small", 65536)[0], "closed", "close of the small file")
        expect(v.object("small"), None, "an object of the small file")
        expect(v.wrong_objects(), ["no object of 'small'"], "what is left")


@case("a big file is written again: the new bytes are stored when close returns")
def _():
    with stored.StoredVolume(server, **LIMIT) as v:
        v.start()
        for _ in range(3):
            expect(write(v, "big", 100000)[0], "closed", "close")
            expect(v.wrong_objects(), [], "objects")
        expect(v.puts("big"), 3, "PUTs")


@case("stdio and dup2 close big files, too")
def _():
    with stored.StoredVolume(server, **LIMIT) as v:
        v.start()
        v.sh("head -c 100000 /dev/zero > $WBSHIM_PREFIX/redirected; cp $WBSHIM_PREFIX/redirected $WBSHIM_PREFIX/copied")
        v.sh("""perl -e 'open(F,">","$ENV{WBSHIM_PREFIX}/stdio"); print F "x" x 100000; close(F) or die'""")
        expect(v.object("copied") is not None and v.object("stdio") is not None, True, "stored when close has returned")
        wait.until(lambda: v.object("redirected"), 60, "what the shell's exit closed")


@case("the store is down: EIO, the copy stays and is queued, and arrives when the store is back")
def _():
    with s3.Server("radosgw", CEPH_STORE="bluestore") as mortal, stored.StoredVolume(mortal, **LIMIT) as v:
        v.start()
        port = mortal.port
        mortal.stop()
        said, message = write(v, "big", 100000)
        expect(said, errno.errorcode[errno.EIO], "close of the big file")
        cases.expect_in("big", message, "the library's line on stderr")
        expect(os.path.getsize(os.path.join(v.tree, "big")), 100000, "the staged copy")
        expect(v.records()["big"]["state"], "staged", "its record")
        expect("big" in v.due(), True, "queued")
        mortal.start(port)
        v.ctl_ok("flush", timeout=100)
        expect(v.wrong_objects(), [], "objects")


@case("no uploader: staged, due now, close succeeds")
def _():
    with stored.StoredVolume(server, **LIMIT) as v:
        v.start_redis()
        expect(write(v, "big", 100000)[0], "closed", "close of the big file")
        record = v.records()["big"]
        expect(record["state"], "staged", "its record")
        with v.redis() as redis:
            now = int(redis("TIME")[0]) * 1000 + 1000
        expect(v.due()["big"] <= now, True, "due now")
        v.start()
        wait.until(lambda: v.object("big"), 30, "the object")


@case("0 is no limit")
def _():
    with stored.StoredVolume(server, WRITEBACK_MAX_SIZE="0", UPLOAD_DELAY="1h") as v:
        v.start()
        expect(write(v, "big", 40_000_000)[0], "closed", "close")
        expect(v.object("big"), None, "an object")


@case("radosgw stops")
def _():
    server.__exit__()


cases.main()
