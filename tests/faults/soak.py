#!/usr/bin/env python3
"""Random histories by several programs, with faults switched on, against the model of what was acknowledged.

Sessions run at once, each with volumes, Redis, uploader and store of its own. In a round of a session its programs write at random, and
what soak_faults.py draws befalls them, Redis, the uploader, the store and the lines between, several things at once among it. Then all is
healed, flush must succeed, and model, tree, records and objects must agree byte for byte. A second client on one volume is refused by
the product (private coherence), so several clients are here several programs of a volume, and several volumes.

WBSHIM_SOAK_SECONDS: how long, all told (60). WBSHIM_SEED: what is drawn; when things happen is the machine's affair, so a failure may need
some runs to come again. tests/run --soak MINUTES builds and runs it."""
import contextlib
import multiprocessing
import os
import queue
import random
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak_faults  # noqa: E402
from soak_life import PATIENCE  # noqa: E402
from soak_story import Deck  # noqa: E402
from soaked import Soaked  # noqa: E402

from lib import cases, process, s3  # noqa: E402
from lib.cases import expect  # noqa: E402

SEED = os.environ.get("WBSHIM_SEED") or str(random.SystemRandom().randrange(10**9))
SECONDS = float(os.environ.get("WBSHIM_SOAK_SECONDS") or 60)
# name, S3 server, options of its volumes
SESSIONS = [
    ("files", None, {"tops": ("w0", "w1", "w2")}),
    ("batch", None, {"META": "batch"}),
    ("local", None, {"DURABILITY": "local"}),
    ("radosgw", "radosgw", {}),
]
ROUNDS = 40  # of a volume, then there is a new one
LAST = 10  # seconds that the check at the end may take
FAILURES = 3  # of a session, then it ends
SAY = 20  # seconds between two lines of progress


class Told:
    """What sessions have told: plain data, added up."""

    def __init__(self):
        self.rounds, self.felt, self.counts, self.failures = {name: 0 for name, _, _ in SESSIONS}, {}, {}, []

    def add(self, name, felt, counts, failure):
        self.rounds[name] += failure is None
        self.failures += [failure] if failure else []
        for kind in felt:
            self.felt[kind] = self.felt.get(kind, 0) + 1
        for what, count in counts.items():
            self.counts[what] = self.counts.get(what, 0) + count

    def line(self):
        rounds = ", ".join(f"{name} {count}" for name, count in self.rounds.items())
        return f"rounds: {rounds}; {sum(self.felt.values())} faults; " + "".join(f"{n} {what}, " for what, n in self.counts.items()) \
            + f"{len(self.failures)} failures"


def goes_on(deck, end):
    """On a slow machine a session may take twice its time, until it has had its kinds once."""
    return time.monotonic() < end - LAST + (SECONDS if deck.first else 0)


def one_volume(name, number, server, bucket, options, deck, end, tell):
    """Rounds in one volume, and its last check. Returns whether all was right."""
    seed, count, v = f"{SEED}/{name}/{number}", 0, None
    where, kinds = "the start", []
    try:
        with Soaked(seed, server, (bucket, f"v{number}"), **options) as v:
            v.await_uploader()
            while count < ROUNDS and (goes_on(deck, end) or not count):
                count, where = count + 1, f"round {count + 1}"
                kinds = [deck.take() for _ in range(v.draw.choice([1, 2, 2, 3]))]
                before = dict(v.counts)
                felt = v.round(kinds)
                for kind in kinds:
                    if kind not in felt:
                        deck.put_back(kind)
                tell(felt, {what: v.counts[what] - before[what] for what in before}, None)
            where, kinds = f"the end after {count} rounds", []
            v.end_check()
        return True
    except Exception as e:
        for kind in kinds:
            deck.put_back(kind)
        what = str(e) if isinstance(e, (AssertionError, TimeoutError)) else traceback.format_exc(limit=-4)
        tell([], {}, f"{name}, seed {seed}, {where} (WBSHIM_SEED={SEED} draws it again):\n{v.told() if v else ''}\n{what}\n{v.last_log[-3000:] if v else ''}")
        return False


def one_bucket(server):
    """For all volumes of a session: radosgw makes none for half a minute after it was killed. Without versions, lest its memory fill up."""
    server.client.create_bucket(Bucket="soak")
    return s3.Bucket(server.client, "soak")


def session(name, kind, options, end, results):
    process.die_with_parent()
    process.adopt_orphans()

    def tell(*what):
        results.put((name, what))
    try:
        with s3.Server(kind, CEPH_RGW_AGAIN="1") if kind else contextlib.nullcontext() as server:
            bucket = one_bucket(server) if server else None
            deck, number, failures = Deck(random.Random(f"{SEED}/{name}"), bool(kind)), 0, 0
            while (goes_on(deck, end) or not number) and failures < FAILURES:
                failures += not one_volume(name, number, server, bucket, options, deck, end, tell)
                number += 1
    except Exception:
        tell([], {}, f"{name}: {traceback.format_exc()}")
    process.end_children()
    results.put((name, None))


def run_all():
    """All sessions at once."""
    results, told, start, said = multiprocessing.Queue(), Told(), time.monotonic(), 0
    children = [multiprocessing.Process(target=session, args=(*row, start + SECONDS, results)) for row in SESSIONS]
    for child in children:
        child.start()
    left = {name for name, _, _ in SESSIONS}
    while left:
        with contextlib.suppress(queue.Empty):
            name, what = results.get(timeout=1)
            if what is None:
                left.discard(name)
            else:
                told.add(name, *what)
                if what[-1]:
                    print("    a failure: " + what[-1].replace("\n", "\n        "), flush=True)
        if time.monotonic() > start + said + SAY:
            said = time.monotonic() - start
            print(f"    {said:4.0f} s, {told.line()}", flush=True)
    for child in children:
        child.join()
    print(f"    {time.monotonic() - start:4.0f} s, {told.line()}", flush=True)
    return told


told = Told()


def rounds_are_right():
    global told
    print(f"    seed {SEED} (WBSHIM_SEED), {SECONDS:g} s (WBSHIM_SOAK_SECONDS)", flush=True)
    told = run_all()
    expect(len(told.failures), 0, "failures:\n" + "\n\n".join(told.failures))


def every_fault_was_met():
    kinds = [*soak_faults.FOR_ALL, *soak_faults.FOR_S3]
    for kind in kinds:
        print(f"    {kind:45s} {told.felt.get(kind, 0):5d}")
    expect([kind for kind in kinds if not told.felt.get(kind)], [], "kinds of fault that nobody met")


def every_session_had_rounds():
    expect([name for name, count in told.rounds.items() if not count], [], "sessions without a whole round")


if __name__ == "__main__":
    cases.add("whatever happens to several programs at once: model, tree, records and objects agree", rounds_are_right, int(SECONDS) + 4 * PATIENCE)
    cases.add("every kind of fault was met", every_fault_was_met)
    cases.add("every session had rounds", every_session_had_rounds)
    cases.main()
