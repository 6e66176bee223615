#!/usr/bin/env python3
"""WBSHIM_UPLOAD_LIMIT: so many bytes per second and no more; WBSHIM_UPLOAD_HOURS: uploads run then, and what cannot wait at any time."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, load, odd_s3, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402
from lib.odd_volume import OddVolume  # noqa: E402

MIB = 1 << 20
SPAN = 3  # "over a few seconds"
MIXED = "head -c 2500000 /dev/urandom > huge1; head -c 1200000 /dev/urandom > huge2; for i in $(seq 20); do head -c 100000 /dev/urandom > middle$i; done;" \
        " mkdir d; for i in $(seq 300); do head -c 4000 /dev/urandom > d/small$i; done"


def rates(arrivals):
    """(lowest, highest) bytes per second over any SPAN seconds that begin with an arrival and end before the last one."""
    end = arrivals[-1][0] - SPAN
    sums, low, high, j, inside = 0, float("inf"), 0.0, 0, 0
    for i, (begin, size) in enumerate(arrivals):
        if begin > end:
            break
        while j < len(arrivals) and arrivals[j][0] < begin + SPAN:
            inside += arrivals[j][1]
            j += 1
        low, high, sums = min(low, inside / SPAN), max(high, inside / SPAN), sums + 1
        inside -= size
    expect(sums > 0, True, f"something to be measured in {len(arrivals)} arrivals")
    return low, high


@case("big, middling and small files share the limit, within 5 % over any three seconds", 180)
def _():
    with odd_s3.OddS3() as server, OddVolume(server, UPLOAD_LIMIT="1M") as v:
        v.options["UPLOAD_DELAY"] = "1h"
        v.start()
        v.sh(f"cd $WBSHIM_PREFIX; {MIXED}")
        server.arrivals.clear()
        with load.Load() as busy:
            v.ctl_ok("flush")
        low, high = rates(sorted(server.arrivals))
        print(f"    {low / MIB:.3f} to {high / MIB:.3f} of the limit; {busy}")
        expect(high <= 1.05 * MIB, True, f"the highest rate, {high / MIB:.3f} of the limit")
        expect(low >= 0.95 * MIB / busy.factor(), True, f"the lowest rate, {low / MIB:.3f} of the limit; {busy}")
        for name in ("huge1", "middle7", "d/small300"):
            with open(os.path.join(v.tree, name), "rb") as file:
                expect(server.stored(name) == file.read(), True, f"the bytes of {name}")


@case("a slow limit: twenty big files do not starve one another", 180)
def _():
    with odd_s3.OddS3() as server, OddVolume(server, UPLOAD_LIMIT="200K") as v:
        v.options["UPLOAD_DELAY"] = "1h"
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in $(seq 20); do head -c 60000 /dev/urandom > f$i; done")
        server.arrivals.clear()
        v.ctl_ok("flush")
        high = rates(sorted(server.arrivals))[1]
        expect(high <= 1.05 * 200 * 1024, True, f"the highest rate, {high / 200 / 1024:.3f} of the limit")
        expect([len(server.stored(f"f{i}") or b"") for i in range(1, 21)], [60000] * 20, "what is stored")


@case("a file:// store: by whole files")
def _():
    with volume.Volume(UPLOAD_LIMIT="1M", UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in $(seq 12); do head -c 300000 /dev/urandom > f$i; done")
        begin = time.monotonic()
        with load.Load() as busy:
            v.ctl_ok("flush")
        took = time.monotonic() - begin
        # The first goes at once, and nobody waits for the last one's share.
        expect(11 * 300000 / MIB - 0.2 <= took <= (12 * 300000 / MIB + 1.5) * busy.factor(), True, f"{took:.2f} s for 12 files; {busy}")


def hours(first, last, zone=0):
    """An option's value: from `first` hours after now to `last`, in a zone so many hours east of UTC."""
    now = time.gmtime(time.time() + zone * 3600).tm_hour
    return f"{(now + first) % 24}-{(now + last) % 24}"


def blocked_by(v):
    oldest = v.ctl_json("status").get("oldest")
    return oldest and oldest["blocked_by"]


@case("outside the hours: what is due waits, and status says for what; a flush and a big file do not; deletions go on")
def _():
    with odd_s3.OddS3() as server, OddVolume(server, UPLOAD_HOURS=hours(3, 5), WRITEBACK_MAX_SIZE="64K") as v:
        v.start()
        v.sh("echo 1 > $WBSHIM_PREFIX/f")
        wait.until(lambda: blocked_by(v) == "hours", 60, "the entry to be due, and to wait")
        expect_in("(WBSHIM_UPLOAD_HOURS)", v.ctl_ok("status"), "status for people")
        v.sh("head -c 70000 /dev/zero > $WBSHIM_PREFIX/big")
        expect((len(server.stored("big") or b""), v.state("big")), (70000, "uploaded"), "the big file when its close has returned")
        expect((server.stored("f"), v.state("f"), blocked_by(v)), (None, "staged", "hours"), "the small one then")
        v.ctl_ok("flush")
        expect((server.stored("f"), v.state("f")), (b"1\n", "uploaded"), "after a flush")
        v.sh("rm $WBSHIM_PREFIX/big; echo 2 > $WBSHIM_PREFIX/f")
        wait.until(lambda: server.stored("big") is None, 60, "the object to be deleted")
        wait.until(lambda: blocked_by(v) == "hours", 60, "the next entry to wait")
        expect(server.stored("f"), b"1\n", "the object meanwhile")
        expect_in("uploads wait for their hours", v.log(), "the log")


@case("outside the hours, room is made all the same: as much as is needed, oldest first")
def _():
    with odd_s3.OddS3() as server, OddVolume(server, UPLOAD_HOURS=hours(3, 5), MAX_STAGED="1M") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3; do head -c 200000 /dev/zero > f$i; done")
        wait.until(lambda: blocked_by(v) == "hours", 60, "the entries to wait")
        v.sh("cd $WBSHIM_PREFIX; for i in 4 5; do head -c 200000 /dev/zero > f$i; done")
        wait.until(lambda: server.stored("f1") is not None, 60, "the oldest to make room")
        wait.until(lambda: blocked_by(v) == "hours", 60, "the others to wait")
        expect([server.stored(f"f{i}") is not None for i in (4, 5)], [False, False], "the newest")


@case("inside the hours, by the local clock: as if there were none")
def _():
    with odd_s3.OddS3() as server, OddVolume(server, UPLOAD_HOURS=hours(-1, 2, zone=5)) as v:
        v.extra["TZ"] = "TST-5"
        v.start()
        v.sh("echo 1 > $WBSHIM_PREFIX/f")
        wait.until(lambda: server.stored("f") == b"1\n", 60, "the object")
    with odd_s3.OddS3() as server, OddVolume(server, UPLOAD_HOURS=hours(-1, 2, zone=5)) as v:
        v.start()  # TZ is UTC
        v.sh("echo 1 > $WBSHIM_PREFIX/f")
        wait.until(lambda: blocked_by(v) == "hours", 60, "the same hours in another zone")


@case("what is no hour or size is refused")
def _():
    for name, value in (("UPLOAD_HOURS", "25-3"), ("UPLOAD_HOURS", "night"), ("UPLOAD_HOURS", "1-25"), ("UPLOAD_LIMIT", "fast")):
        with volume.Volume(**{name: value}) as v:
            cases.expect_one_line(v.ctl("start"), 2, f"WBSHIM_{name} is '{value}'")


cases.main()
