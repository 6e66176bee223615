#!/usr/bin/env python3
"""Run every program of programs.txt bare and under the prefix; whatever can be seen must be the same, and Redis must agree.

Arguments choose cases by name. With WBSHIM_DIFF_SELF=1 both runs are bare: a check of the table itself.
"""
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
from lib import cases, volume, wait  # noqa: E402
import program  # noqa: E402
import sides  # noqa: E402

SELF = os.environ.get("WBSHIM_DIFF_SELF") == "1"
_bare = {}


def base_name():
    """The last component of the base directory, the same on both sides, free in this machine's memory directory."""
    return f"wb{os.getpid():07d}"


def bare(case):
    if case.name not in _bare:
        _bare[case.name] = sides.bare(case, base_name())
    return _bare[case.name]


def check(wrong):
    if wrong:
        cases.fail("\n".join(wrong[:20]) + (f"\nand {len(wrong) - 20} more" if len(wrong) > 20 else ""))


def leaks(case, outcome, staging):
    """The staging directory's real name must not reach the program."""
    found = [what for what in ("stdout", "stderr", "view") if staging in getattr(outcome, what)]
    found += [path for path, entry in outcome.tree.items() if staging in entry.text and not case.is_loose(path)]
    return [f"the staging directory's name is in {found}"] if found else []


def compare(case):
    """META=sync: no uploader anywhere; every record is there when the program has ended."""
    one = bare(case)
    if SELF:
        return check(sides.differences(case, one, sides.bare(case, base_name())))
    with volume.Volume(name="diff") as where:
        where.start_redis()
        other = sides.shimmed(case, base_name(), where)
        where.replay_journal()
        check(sides.differences(case, one, other) + leaks(case, other, where.staging.encode()) + _records(case, where))
    return None


def compare_batch(case):
    """META=batch: the uploader ships the journal within a bounded time."""
    one = bare(case)
    with volume.Volume(name="diff", META="batch", UPLOAD_DELAY="1h") as where:
        where.start()
        other = sides.shimmed(case, base_name(), where)
        check(sides.differences(case, one, other) + leaks(case, other, where.staging.encode()))
        try:
            wait.until(lambda: not _records(case, where), 60, "Redis to agree with the tree")
        except TimeoutError:
            check(_records(case, where))
    return None


def _records(case, where):
    wrong = where.disagreements(case.links)
    if os.path.lexists(volume.PREFIX):
        wrong.append(f"{volume.PREFIX} exists")
    expected = sum(e.kind in "fdl" for e in where.snapshot().values())
    count = len(where.records())
    if count != expected or not count:
        wrong.append(f"{count} records, {expected} entries in the tree")
    return wrong


for row in program.table():
    cases.add(row.name, lambda row=row: compare(row), 2 * row.seconds + 30)
    if row.batch and not SELF:
        cases.add(row.name + " (batch)", lambda row=row: compare_batch(row), 2 * row.seconds + 60)
cases.main()
