#!/usr/bin/env python3
"""Random walks of over 10,000 steps through one long-lived tree, on a bare directory and under the prefix: what every step returns must be
the same, and what every look at the whole tree shows; at the end tree and records, nothing missing and nothing stale.

WBSHIM_SEED chooses a walk, 0 a new one; WBSHIM_COUNT its steps. A walk that fails is printed with as few steps as show it.
"""
import ast
import contextlib
import json
import os
import random
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
from lib import cases, process, scratch, tree, volume  # noqa: E402
from lib.cases import expect  # noqa: E402
import walk_steps  # noqa: E402

STEPS = int(os.environ.get("WBSHIM_COUNT", 12000))
SHRINK_SECONDS = 60
TWO_PATHS, UNFOLLOWED = ("rename", "link"), {"'ENOENT'", "'ENOTDIR'", "'ELOOP'", "'ENAMETOOLONG'"}


def same(step, wanted, got):
    """When neither of two paths can be followed, which of them is complained of may differ; a failing rename or link across the border
    may fail for that."""
    return wanted == got or (step[0] in TWO_PATHS and ({wanted, got} <= UNFOLLOWED or (got == "'EXDEV'" and wanted.startswith("'E"))))


class Pair:
    """A bare directory and a volume whose prefix has a name of the same length; "out" lies beside either."""

    def __init__(self, stack, **options):
        self.bases = [stack.enter_context(scratch.directory(scratch.memory(), "wbwalk-")) + "/a/b" for _ in "12"]
        for base in self.bases:
            os.makedirs(base + "/out")
        self.volume = stack.enter_context(volume.Volume(PREFIX=self.bases[1] + "/wb", UPLOAD_DELAY="1h", **options))
        self.succeeded = self.late = 0  # of the last walk: steps; records of files that had several names, which are behind
        self.batch = options.get("META") == "batch"
        if not self.batch:
            self.volume.start_redis()

    def _fresh(self):
        roots = self.bases[0] + "/wb", self.volume.tree
        for directory in (*roots, *(base + "/out" for base in self.bases)):
            os.makedirs(directory, exist_ok=True)  # itself stays: the uploader holds it
            for entry in os.scandir(directory):
                (scratch.remove if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)
            os.chmod(directory, 0o755)
        for base in self.bases:
            for entry in os.scandir(base):  # what a walk left beside them
                if entry.name not in ("wb", "out"):
                    (scratch.remove if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)
            with open(base + "/out/file", "w", encoding="ascii") as file:
                file.write("outside")
        if self.volume.server:
            journal = os.path.join(self.volume.staging, "journal", "current")
            if os.path.exists(journal):
                os.unlink(journal)
            with self.volume.redis() as redis:
                redis("FLUSHALL")

    def walk(self, steps):
        """Lines of either side."""
        self._fresh()
        with tempfile.NamedTemporaryFile("w", suffix=".steps", encoding="ascii") as file:
            file.write("".join(json.dumps(step) + "\n" for step in steps))
            file.flush()
            pipe = process.subprocess.PIPE
            plain = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"}
            children = [process.start(["/usr/bin/python3", "-B", os.path.join(HERE, "walk_driver.py"), base + "/wb", base + "/out", file.name, base + "/linked"],
                                      env=env, cwd="/", stdout=pipe, stderr=pipe)
                        for base, env in zip(self.bases, (plain, dict(self.volume.program_env(), **plain)))]
            outputs = [child.communicate(timeout=600) for child in children]
        found = []
        for name, child, (out, err), base in zip(("bare", "under the prefix"), children, outputs, self.bases):
            lines = out.decode().splitlines()
            if child.returncode or err:
                lines.append(f"the driver ended with {child.returncode}: {err.decode(errors='replace')[-600:]}")
            found.append([line.replace(base, "{B}") for line in lines])
        return found

    def wrong(self, steps):
        """(how many steps it takes, sentences), or None."""
        lines = self.walk(steps)
        for number, (step, wanted, got) in enumerate(zip(steps, *lines)):
            if not same(step, wanted, got):
                return number + 1, differing(wanted, got)
        self.succeeded = sum(not line.startswith("'E") for line in lines[0])
        if len(lines[0]) != len(lines[1]) or len(lines[0]) != len(steps):
            return len(steps), [lines[0][-1][-500:], lines[1][-1][-500:]]
        faults = self._trees() + self._records()
        return (len(steps), faults) if faults else None

    def _trees(self):
        bare, staged = (tree.snapshot(top, [(base.encode(), b"{B}"), (self.volume.tree.encode(), b"{B}/wb")])
                        for top, base in ((self.bases[0] + "/wb", self.bases[0]), (self.volume.tree, self.bases[1])))
        faults = [f"{path!r} is only on one side" for path in sorted(set(bare) ^ set(staged))]
        return faults + [f"{path!r}: bare {bare[path].facts()}, staged {staged[path].facts()}" for path in sorted(set(bare) & set(staged))
                         if bare[path].facts() != staged[path].facts()]

    def _records(self):
        """Without the uploader. A change through one name of a file is not published for its others (README, Limits): counted. What the
        library noted in the journal instead (a slow Redis, a child that shares its parent's memory) is not due yet."""
        if self.batch:
            return []
        noted = {path for _, path in self.volume.journal()}
        with open(self.bases[1] + "/linked", encoding="ascii") as file:
            linked = set(file.read().split())
        faults = [w for w in self.volume.disagreements(links=False) if not any(repr(path) in w or repr(path + "/")[:-1] in w for path in noted)]
        stale = [w for w in faults if w.startswith(("'", '"')) and str(os.lstat(os.path.join(self.volume.tree, ast.literal_eval(w[:w.rindex(w[0] + ": ") + 1]))).st_ino) in linked]
        self.late = len(stale)
        return [w for w in faults if w not in stale]


def differing(wanted, got):
    parts = [line.split("; ") for line in (wanted, got)]
    only = ["; ".join(p for p in mine if p not in other or len(mine) == 1)[:2000] for mine, other in (parts, parts[::-1])]
    return [f"bare              {only[0]}", f"under the prefix  {only[1]}"]


def shrunk(pair, steps, found):
    """Fewer steps that still differ: cut behind the first difference, then without pieces of ever smaller size."""
    end = time.monotonic() + SHRINK_SECONDS
    steps, kind = steps[:found[0]], found[1][0][:16]  # not another difference
    size = len(steps) // 2
    while size and time.monotonic() < end:
        at = 0
        while at < len(steps) and time.monotonic() < end:
            fewer = steps[:at] + steps[at + size:]
            now = pair.wrong(fewer) if fewer else None
            if now:
                steps, found = fewer[:now[0]], now
            else:
                at += size
        size //= 2
    return steps, found


def walk(seed, count, **options):
    print(f"    WBSHIM_SEED={seed}")
    steps = walk_steps.Steps(seed).take(count)
    with contextlib.ExitStack() as stack:
        pair = Pair(stack, **options)
        if pair.batch:
            pair.volume.start()
        found = pair.wrong(steps)
        if found:
            print(f"    step {found[0]} of {len(steps)} differs: {found[1][:6]}", flush=True)
            fewer, now = (steps[:found[0]], found) if pair.batch else shrunk(pair, steps, found)
            told = "".join(f"\n  {json.dumps(step)}" for step in fewer[-40:])
            cases.fail(f"{len(fewer)} steps show it:{told}\n" + "\n".join(now[1][:12]))
        expect(os.path.lexists(pair.bases[1] + "/wb"), False, "the prefix exists")
        v = pair.volume
        records = len(v.records())
        if not pair.batch:
            v.replay_journal()
        done = v.ctl("flush", timeout=60)
        expect(done.returncode, 0, f"flush: {v.ctl_json('status')['dead'] if v.ctl('status').returncode == 0 else v.ctl('status').stdout.decode()}")
        expect(v.disagreements(), [], "records after a flush")
        expect(records > 5 and pair.succeeded > count / 5, True, f"{records} records, {pair.succeeded} steps that succeeded: a walk worth the name")
        print(f"    {len(steps)} steps, {pair.succeeded} succeeded; {records} records at the end of {len(v.snapshot())} entries,"
              f" {pair.late} behind (hard links) until the scan")


given = os.environ.get("WBSHIM_SEED", "1")
seed = given if given != "0" else str(random.SystemRandom().randrange(10**9))
cases.add("a walk", lambda: walk(seed, STEPS), 900)
cases.add("a walk, batch", lambda: walk(seed + "b", STEPS // 4, META="batch"), 900)
cases.main()
