#!/usr/bin/env python3
"""kill -9 of programs, the uploader, Redis and the S3 gateway at every named step (core/base/fault_points.def) and at random times:
what was acknowledged is stored afterwards, byte for byte, and nothing else is."""
import multiprocessing
import os
import random
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plan  # noqa: E402
from page import points  # noqa: E402
from session import Session  # noqa: E402

from lib import cases, process, s3  # noqa: E402
from lib.cases import expect  # noqa: E402

SEED = os.environ.get("WBSHIM_SEED") or str(random.SystemRandom().randrange(10**9))
ON_FILES, ON_S3 = 4, 60  # sessions; rounds
WANTED, WANTED_S3 = 500, 50
FAILURES = 3  # of a session, then it ends


def label(point, victim, mode):
    victim = "Redis and uploader" if victim == "both" else victim
    return f"{point or 'at some time'}: {victim or 'itself'} dies" + (f" ({mode})" if mode else "")


class Outcome:
    """Of one session, told as plain data."""

    def __init__(self):
        self.hits, self.missed, self.failures, self.visits = {}, [], [], {}

    def one(self, v, item):
        """A round; one that did not come to its step is tried again with the step's first visit."""
        if not (v.round(*item) or v.round(*item, visits=1) or v.round(*item, visits=1)):
            self.missed.append(label(*item))
        else:
            self.hits[item] = self.hits.get(item, 0) + 1


def run_rounds(name, rounds, server=None, **options):
    """All rounds, in as few volumes as failures permit."""
    outcome, left, volumes = Outcome(), list(rounds), 0
    while left and len(outcome.failures) < FAILURES:
        seed = f"{SEED}/{name}/{volumes}"
        volumes += 1
        item = None
        try:
            with Session(seed, server, **options) as v:
                v.start_redis()
                if left[0][0] not in plan.ONCE:
                    v.start_uploader()
                while left:
                    item = left.pop(0)
                    outcome.one(v, item)
                item = "the end"
                v.end_check()
                for point, visits in v.page.all_hits().items():
                    outcome.visits[point] = outcome.visits.get(point, 0) + visits
        except Exception as e:
            what = str(e) if isinstance(e, (AssertionError, TimeoutError)) else traceback.format_exc(limit=-4)
            outcome.failures.append(f"{name}, seed {seed}, {item if item == 'the end' or not item else label(*item)}:\n{what}\n{v.log()[-1500:]}")
    return outcome


def session(name, rounds, kind, results, options):
    process.die_with_parent()
    process.adopt_orphans()
    try:
        if kind:
            with s3.Server(kind, CEPH_RGW_AGAIN="1") as server:
                outcome = run_rounds(name, rounds, server, **options)
        else:
            outcome = run_rounds(name, rounds, **options)
    except Exception:
        outcome = Outcome()
        outcome.failures.append(f"{name}: {traceback.format_exc()}")
    process.end_children()
    results.put((name, outcome))


def run_all():
    """All sessions at once; {name: outcome}."""
    draw = random.Random(SEED)
    jobs = [(f"files-{i}", plan.on_files(draw, i, i == 0), None, {"META": "batch"} if i == 0 else {}) for i in range(ON_FILES)]
    jobs.append(("radosgw", plan.on_s3(draw, ON_S3), "radosgw", {}))
    results = multiprocessing.Queue()
    children = [multiprocessing.Process(target=session, args=(name, rounds, kind, results, options)) for name, rounds, kind, options in jobs]
    for child in children:
        child.start()
    found = dict(results.get() for _ in jobs)
    for child in children:
        child.join()
    return found


outcomes = {}


def rounds_are_right():
    start = time.monotonic()
    print(f"    seed {SEED} (WBSHIM_SEED)")
    outcomes.update(run_all())
    for name, outcome in sorted(outcomes.items()):
        print(f"    {name}: {sum(outcome.hits.values())} crash points, {len(outcome.failures)} failures")
    print(f"    {time.monotonic() - start:.0f} s")
    failures = [f for outcome in outcomes.values() for f in outcome.failures]
    expect(len(failures), 0, "failures:\n" + "\n\n".join(failures))


def every_point_was_hit():
    hits, visits = {}, {}
    for outcome in outcomes.values():
        for (point, _, _), count in outcome.hits.items():
            hits[point] = hits.get(point, 0) + count
        for point, count in outcome.visits.items():
            visits[point] = visits.get(point, 0) + count
    for point in points():
        print(f"    {point:20s} {hits.get(point, 0):4d} crashes, {visits.get(point, 0):7d} visits")
    print(f"    {'at some time':20s} {hits.get(None, 0):4d} crashes")
    missed = [m for outcome in outcomes.values() for m in outcome.missed]
    print(f"    not reached in their rounds: {missed}")
    expect([p for p in points() if not hits.get(p)], [], "points without a crash")


def there_were_enough():
    total = sum(sum(outcome.hits.values()) for outcome in outcomes.values())
    on_s3 = sum(sum(outcome.hits.values()) for name, outcome in outcomes.items() if name == "radosgw")
    print(f"    {total} crash points, {on_s3} of them on radosgw")
    expect((total >= WANTED, on_s3 >= WANTED_S3), (True, True), f"enough crash points ({total}, {on_s3})")


if __name__ == "__main__":
    cases.add("whatever dies wherever: nothing acknowledged is lost, nothing else is stored", rounds_are_right, 1500)
    cases.add("every point was hit", every_point_was_hit)
    cases.add("there were enough", there_were_enough)
    cases.main()
