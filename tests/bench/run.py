#!/usr/bin/env python3
"""One table of what wbshim costs, each row beside the bare number of the same run and its budget (DESIGN, budgets).

Variants run in turns, medians of rounds; staging on tmpfs, Redis on its Unix socket, the bare round trip in turns with the
operations that it is compared with. Times never decide about passing: a row
fails only when it left no records where it must have left some (a library that did nothing is fast). WBSHIM_BENCH_ROUNDS: 5.
"""
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
from lib import build, process, scratch, volume, wait  # noqa: E402
import table  # noqa: E402
from drivers import driver, numbers  # noqa: E402

ROUNDS = int(os.environ.get("WBSHIM_BENCH_ROUNDS", "5"))
COUNT = 2000
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILDS = {
    "build of a library in C++, make -j2": "rm -rf b; mkdir b; cd b; make -s -j2 -f $SOURCE/tests/bench/library.mk",
    "build of 120 C files of one line": "rm -rf m; cp -r $SOURCE/tests/diff/projects/many m; cd m; sh generate.sh 120; make -s -j2; ./all > /dev/null",
}
PHASES = ("create", "stat", "open", "read", "write", "map", "rename", "unlink")
CHANGES = ("create", "rename", "unlink")


class Side:
    """One variant: where its files are, its environment, and how many records it must have left by now."""

    def __init__(self, base, where=None, socket=None):
        self.base, self.where, self.socket = base, where, socket
        self.env = dict(where.program_env(), PATH="/usr/bin:/bin") if where else {"PATH": "/usr/bin:/bin"}
        self.times, self.trips = {}, []

    def round(self, number):
        """All phases once in a directory of their own; then the records are counted against the tree."""
        directory = f"{self.base}/round{number}"
        self.shell(f"mkdir -p {directory}")
        counts = {}
        for phase in PHASES:
            beside = [self.socket] if self.socket and phase in CHANGES else []
            found = numbers([driver("files"), phase, directory, str(COUNT), *beside], self.env)
            self.times.setdefault(phase, []).append(found[0])
            self.trips += found[1:]
            if self.where:
                counts[phase] = self.count()
        self.shell(f"rm -rf {directory}")
        return counts

    def count(self):
        """Records below the prefix, once they agree with the tree in number (batch: within 20 s)."""
        entries = len(self.where.snapshot())
        try:
            wait.until(lambda: len(self.where.records()) == entries, 20 if self.where.options.get("META") == "batch" else 1, "records")
        except TimeoutError:
            pass
        return len(self.where.records()), entries

    def shell(self, command, **env):
        done = process.run(["/bin/bash", "-c", command], 300, env=dict(self.env, **env))
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr.decode()}")

    def middle(self, phase):
        return statistics.median(self.times[phase])


def files(bare, sides, rows):
    """create … unlink in rounds, the variants in turns."""
    counts = {}
    for number in range(ROUNDS):
        bare.round(number)
        for name, side in sides.items():
            counts[name] = side.round(number)
    trip = statistics.median(sides["sync"].trips)
    rows.note(f"one EVALSHA round trip of a create's writes, in C on that socket: {trip:.1f} µs; {COUNT} files of 4 KiB, {ROUNDS} rounds")
    for name, side in sides.items():
        for phase in PHASES:
            base, got = bare.middle(phase), side.middle(phase)
            if phase in CHANGES:
                factor = 1.5 if phase == "create" else 2.5
                budget = base + 1.3 * trip if name == "sync" else factor * base
                text = f"bare + {1.3 * trip:.1f} µs" if name == "sync" else f"{factor}×"
            else:
                factor = 1.3 if phase in ("stat", "open") else 1.0
                budget, text = factor * base, f"{factor}×"
            rows.add(f"{phase}, {name}", base, got, budget, text, *counts[name][phase])


def starting(where, rows):
    bare, shimmed = numbers([driver("spawn"), "1000", build.LIBRARY],
                            {k: v for k, v in where.program_env().items() if k != "LD_PRELOAD"})
    rows.add("start of a process", bare, shimmed, bare + 100, "bare + 100 µs")


def outside(base, where, rows):
    found = {"bare": [], "shim": []}
    for _ in range(ROUNDS):
        found["bare"].append(numbers([driver("files"), "outside", base, "20000"]))
        found["shim"].append(numbers([driver("files"), "outside", base, "20000"], dict(where.program_env(), PATH="/usr/bin:/bin")))
    for i, what in enumerate(("open + close outside the prefix", "stat outside the prefix")):
        bare, shim = (statistics.median(r[i] for r in found[side]) for side in ("bare", "shim"))
        allowed = 0.1 if i == 0 else 0.05
        rows.add(what, bare, shim, bare + allowed, f"bare + {allowed * 1000:.0f} ns")


def durable(rows):
    """Tier local against a program that asks for the same itself: staging and bare directory on one disk, in turns."""
    with scratch.directory(build.BUILD, "wbbench-") as base, volume.Volume(where=base, name="local", DURABILITY="local", UPLOAD_DELAY="1h",
                                                                          LOG="warn") as where:
        where.start()
        times, many = {"bare": [], "local": []}, 200
        side = Side(volume.PREFIX, where)
        for number in range(ROUNDS):
            os.mkdir(f"{base}/bare{number}")
            side.shell(f"mkdir {volume.PREFIX}/d{number}")
            times["bare"] += numbers([driver("files"), "keep", f"{base}/bare{number}", str(many)])
            times["local"] += numbers([driver("files"), "create", f"{volume.PREFIX}/d{number}", str(many)], side.env)
        bare, got = (statistics.median(times[which]) for which in ("bare", "local"))
        rows.add("create, tier local; bare: with fsync", bare, got, 1.3 * bare, "1.3×", *side.count())


def builds(bare, sides, rows):
    """Whole build directories under the prefix. The second is the worst there is, a process and a file every few ms: no budget."""
    for what, command in BUILDS.items():
        times = {name: [] for name in ("bare", *sides)}
        for _ in range(max(3, ROUNDS)):
            for name, side in (("bare", bare), *sides.items()):
                start = time.perf_counter()
                side.shell(f"set -e; mkdir -p {side.base}/w; cd {side.base}/w; " + command, SOURCE=SOURCE, GENERATED=build.BUILD)
                times[name].append((time.perf_counter() - start) * 1e6)
        for name, side in sides.items():
            base, got = statistics.median(times["bare"]), statistics.median(times[name])
            budget = (1.03 * base, "1.03×") if "library" in what else (None, "-")
            rows.add(f"{what}, {name}", base, got, *budget, *side.count())


def main():
    rows = table.Table()
    with scratch.directory(scratch.memory()) as base, volume.Volume(name="sync", UPLOAD_DELAY="1h", LOG="warn") as sync, \
            volume.Volume(name="batch", META="batch", UPLOAD_DELAY="1h", LOG="warn") as batch:
        sync.start()
        batch.start()
        bare, sides = Side(base), {"sync": Side(volume.PREFIX, sync, sync.socket), "batch": Side(volume.PREFIX, batch)}
        starting(sync, rows)
        outside(base, sync, rows)
        files(bare, sides, rows)
        builds(bare, sides, rows)
    durable(rows)
    print(rows.text())
    sys.exit(1 if rows.failed() else 0)


process.adopt_orphans()
try:
    main()
finally:
    process.end_children()
