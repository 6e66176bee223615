#!/usr/bin/env python3
"""Every case of hostile.cc and commands.cc: bare, to be sure of the case itself; then under the prefix, with and without Redis."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, scratch, tree, volume, wait  # noqa: E402
from lib.cases import expect  # noqa: E402

DRIVERS = [os.path.join(build.BUILD, "tests", "integration", name) for name in ("hostile", "commands")]


# Where the library may only leave a line in the journal (a signal interrupted its own talk with Redis, a child that shares its
# parent's memory, a thread that is cancelled inside open(), after the kernel truncated the file): the uploader makes Redis agree.
EVENTUALLY = {"cancelled_threads", "in_signal_handlers", "small_stack", "vfork_close"}
# Files of children that share their parent's memory: each must have its line.
NOTED = {"vfork_writes": {"child", "over", "left open"}, "vfork_starts": {"closed by exec"}}
# What is written through a mapping after close() has no event in the program: only the mtime of the record lags.
LATER = {"mapped_after_close": ": mtime "}


def outline(entries):
    """Names, types and sizes; racing threads may differ in nothing else."""
    return {path: (e.kind, e.size if e.kind == "f" and "handled" not in path else 0) for path, e in entries.items()}


def agree(v, seconds, unless):
    def wrong():
        return [w for w in v.disagreements() if not unless or unless not in w]
    try:
        wait.until(lambda: not wrong(), seconds, "the records")
    except TimeoutError:
        expect(wrong(), [], "records")


def compare(driver, name):
    with scratch.directory(scratch.memory()) as bare:
        done = process.run([driver, name, bare], 60)
        expect((done.returncode, done.stderr), (0, b""), "the bare run")
        wanted = outline(tree.snapshot(bare))
    for with_redis in (True, False):
        with volume.Volume(UPLOAD_DELAY="1h") as v:
            if with_redis and name in EVENTUALLY:
                v.start()
            elif with_redis:
                v.start_redis()
            done = v.run([driver, name, volume.PREFIX], 60)
            expect((done.returncode, done.stderr), (0, b""), f"under the prefix, Redis {with_redis}")
            expect(outline(v.snapshot()), wanted, "the tree")
            missed = NOTED.get(name, set()) - {path for _, path in v.journal()}
            if with_redis:
                expect(missed, set(), "missing in the journal")
                v.replay_journal()
                agree(v, 30 if name in EVENTUALLY or name in NOTED else 0, LATER.get(name))
            else:
                expect((bool(v.journal()), missed), (True, set()), "lines in the journal")


def names_of(driver):
    try:
        return process.run([driver], 10).stdout.decode().split()
    except OSError:
        return []


for driver in DRIVERS:
    names = names_of(driver)
    cases.add(f"{os.path.basename(driver)} is built", lambda names=names, driver=driver: expect(len(names) > 4, True, driver))
    for name in names:
        cases.add(name.replace("_", " "), lambda driver=driver, name=name: compare(driver, name))
cases.main()
