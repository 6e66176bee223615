"""Compiling and clang-tidy want processors but no silence: in a whole run they go on at the lowest priority beside the parts that mostly wait.

main.py starts one process for all of them; each job's cases are written down as they end and counted by the part that asks for the job.
"""
import json
import os
import shutil
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import process, wait  # noqa: E402
from lib.report import Report  # noqa: E402

_LONGEST = 5400
_run = None


class Run:
    """The process, and the directory of what it found. pid: for who must not end it."""

    def __init__(self, jobs):
        self.jobs = set(jobs)
        self.directory = tempfile.mkdtemp(prefix="wbtest-")
        self.child = process.start(["/usr/bin/python3", "-B", os.path.abspath(__file__), self.directory, *jobs], stderr=None)
        self.pid = self.child.pid

    def end(self):
        process.stop(self.child)
        shutil.rmtree(self.directory)


class Written(Report):
    """A report that keeps its cases instead of telling them: [name, what was wrong or None]."""

    def __init__(self):
        super().__init__()
        self.cases = []

    def ok(self, name, count=1):
        self.cases.append([name, None])

    def bad(self, name, detail="", count=1):
        self.cases.append([name, detail])


def start(jobs):
    global _run
    _run = Run(jobs)
    return _run


def counted(report, job):
    """Waits for the job's end and counts its cases. Returns whether all were well, None when nobody does it."""
    if not _run or job not in _run.jobs:
        return None
    _run.jobs.remove(job)
    path = os.path.join(_run.directory, job)
    wait.until(lambda: os.path.exists(path) or _run.child.poll() is not None, _LONGEST, f"the end of {job}")
    if not os.path.exists(path):
        report.bad(f"{job} ended without a word")
        return False
    with open(path, encoding="utf-8") as f:
        cases, seconds = json.load(f)
    print(f"  {job}, beside the other parts: {seconds:.1f} s", flush=True)
    for name, problem in cases:
        if problem is None:
            report.ok(name)
        else:
            report.bad(name, problem)
    return all(problem is None for _, problem in cases)


def _do(job, directory):
    from parts import builds, style
    written, begin = Written(), time.monotonic()
    try:
        if job == "tidy":
            style.tidy(written)
        else:
            builds.ready(written, job.removeprefix("build-"))
    except Exception:  # the other jobs still run
        written.bad(f"{job} could not run", traceback.format_exc())
    path = os.path.join(directory, job)
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump([written.cases, time.monotonic() - begin], f)
    os.rename(path + ".new", path)


if __name__ == "__main__":
    os.nice(19)
    process.adopt_orphans()
    for asked in sys.argv[2:]:
        _do(asked, sys.argv[1])
    process.end_children()
