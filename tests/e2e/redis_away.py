#!/usr/bin/env python3
"""Redis away at any moment: the program goes on, the paths are in the journal, and are published later."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, process, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402

# Writes a file, waits for a line on stdin, writes another; twice. Prints the seconds that each step took.
STEPS = """
import os, sys, time
p = os.environ["WBSHIM_PREFIX"]
for name in ("one", "two", "three"):
    start = time.monotonic()
    with open(f"{p}/{name}", "w") as f:
        f.write(name)
    os.rename(f"{p}/{name}", f"{p}/{name}.done")
    print(f"{time.monotonic() - start:.3f}", flush=True)
    sys.stdin.readline()
"""


def steps(v):
    return process.start(["/usr/bin/python3", "-c", STEPS], env=v.program_env(), stdin=process.subprocess.PIPE,
                         stdout=process.subprocess.PIPE, stderr=process.subprocess.PIPE, text=True)


def go_on(child):
    child.stdin.write("\n")
    child.stdin.flush()


@case("killed between two closes: program unharmed and not slowed, paths in the journal, replayed later")
def _():
    with volume.Volume() as v:
        v.start_redis()
        child = steps(v)
        child.stdout.readline()
        expect("one.done" in v.records(), True, "the first record")
        v.kill_redis()
        go_on(child)
        took = float(child.stdout.readline())
        expect(took < 0.5, True, f"a step without Redis took {took} s")
        go_on(child)
        child.stdout.readline()
        go_on(child)
        _, err = child.communicate(timeout=10)
        expect((child.returncode, err), (0, ""), "the program's end")
        names = {path for _, path in v.journal()}
        expect({"two.done", "three.done"} <= names, True, f"journal: {names}")
        v.start_redis()
        v.start()
        wait.until(lambda: not v.disagreements(), 60, "the journal to be replayed")
        expect(sorted(v.records()), ["one.done", "three.done", "two.done"], "records")


@case("stopped (SIGSTOP): bounded, at most the time-out once")
def _():
    with volume.Volume() as v:
        v.start_redis()
        child = steps(v)
        child.stdout.readline()
        os.kill(v.server.pid, signal.SIGSTOP)
        try:
            go_on(child)
            took = float(child.stdout.readline())
            expect(took < 0.6, True, f"a step with a hanging Redis took {took} s")
            go_on(child)
            took = float(child.stdout.readline())
            expect(took < 0.2, True, f"the next step took {took} s: the breaker must be open")
            start = time.monotonic()
            v.sh("for i in 1 2 3 4 5 6 7 8 9 10; do /bin/echo $i > $WBSHIM_PREFIX/f$i; done")
            expect(time.monotonic() - start < 2, True, f"ten processes took {time.monotonic() - start:.2f} s")
            go_on(child)
            expect(child.wait(10), 0, "the program's end")
        finally:
            os.kill(v.server.pid, signal.SIGCONT)
        v.start()
        wait.until(lambda: not v.disagreements(), 60, "the journal to be replayed")


@case("nowhere from the start, then a start with everything journalled: creations, removals, renames, directories")
def _():
    with volume.Volume(UPLOAD_DELAY="300ms") as v:
        v.sh("cd $WBSHIM_PREFIX; mkdir -p a/b; echo 1 > a/b/f; echo 2 > g; rm g; mv a c; ln -s c l; chmod 600 c/b/f; echo 3 > h; mv h c/h")
        expect(bool(v.journal()), True, "lines in the journal")
        v.start()
        wait.until(lambda: not v.disagreements(), 60, "the journal to be replayed")
        expect(sorted(v.records()), ["c", "c/b", "c/b/f", "c/h", "l"], "records")


@case("restarted with an empty memory: nothing breaks, records come back")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start_redis()
        v.start()
        v.sh("cd $WBSHIM_PREFIX; echo 1 > a; mkdir d; echo 2 > d/b")
        v.kill_redis()
        v.sh("echo 3 > $WBSHIM_PREFIX/c")
        v.start_redis()
        v.sh("echo 4 > $WBSHIM_PREFIX/e")
        wait.until(lambda: not v.disagreements(), 40, f"all records to be back; log:\n{v.log()}")


@case("met while it loads its data: joined when it has")
def _():
    with volume.Volume(UPLOAD_DELAY="200ms") as v:
        v.start_redis()
        v.start()
        v.sh("echo 1 > $WBSHIM_PREFIX/a")
        with v.redis() as redis:  # takes seconds to load, and nothing to compress: after every 1024 bytes of it the server answers that it does
            for i in range(100):
                redis("SET", f"other{i}", os.urandom(1100))
            redis("SAVE")
        v.kill_redis()
        v.sh("echo 2 > $WBSHIM_PREFIX/b")
        v.start_redis("--key-load-delay", "30000", "--loading-process-events-interval-bytes", "1024")
        cases.expect_in("LOADING", v.log(), "the uploader's log")
        store = os.path.join(v.staging, "store")
        wait.until(lambda: os.path.exists(os.path.join(store, "b")), 40, f"the object; log:\n{v.log()}")
        expect(v.disagreements(), [], "records")


@case("a removal while Redis was away reaches the store")
def _():
    with volume.Volume(UPLOAD_DELAY="200ms") as v:
        v.start_redis()
        v.start()
        v.sh("cd $WBSHIM_PREFIX; echo 1 > a; echo 2 > b")
        store = os.path.join(v.staging, "store")
        wait.until(lambda: os.path.exists(os.path.join(store, "a")) and os.path.exists(os.path.join(store, "b")), 60, "both objects")
        with v.redis() as redis:  # keep what Redis knows across its death
            redis("SAVE")
        v.kill_redis()
        v.sh("rm $WBSHIM_PREFIX/a")
        v.start_redis()
        wait.until(lambda: not os.path.exists(os.path.join(store, "a")), 40, f"the object to go; log:\n{v.log()}")
        expect(os.path.exists(os.path.join(store, "b")), True, "the other object stays")
        expect(v.disagreements(), [], "records")


cases.main()
