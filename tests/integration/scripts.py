#!/usr/bin/env python3
"""The Lua scripts on a real Redis, driven in random orders with lost answers, late requests and killed uploaders.

Whatever the order: when everything has come to rest, store, records and tree say the same. Each case prints its seed;
WBSHIM_SEED repeats one.
"""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
from lib import cases, volume  # noqa: E402
from lib.cases import expect  # noqa: E402
import scripts_volume  # noqa: E402

NAMES = ["a", "b", "d", "d/x", "d/y", "d/e", "d/e/z"]
ROUNDS, STEPS = 150, 60


def step(v, dice, trouble):
    """One random thing that may happen now; returns what it was."""
    name, other = dice.choice(NAMES), dice.choice(NAMES)
    choices = [("write", lambda: v.make("f", name)), ("write", lambda: v.make("f", name)), ("link", lambda: v.make("l", name)),
               ("mkdir", lambda: v.make("d", name)), ("remove", lambda: v.remove(name)), ("remove", lambda: v.remove(name)),
               ("rename to " + other, lambda: v.rename(name, other)), ("look", lambda: v.look(name))]
    for path in v.due():
        choices.append((f"claim {path}", lambda path=path: v.claim(path)))
    for key in v.deletions():
        choices.append((f"claim_delete {key}", lambda key=key: v.claim_delete(key)))
    for request in v.open:
        for outcome in ["ok", "ok"] + (["fail", "unknown", "release"] if trouble else []):
            lands = dice.random() < 0.7
            choices.append((f"finish {request.key} {outcome} {lands}", lambda r=request, o=outcome, l=lands: v.finish(r, o, l)))
    for request in v.late:
        choices.append((f"late {request.key}", lambda r=request: v.land_late(r, dice.random() < 0.8)))
    for key in v.settling():
        choices.append((f"settle {key}", lambda key=key: v.settle(key)))
    if trouble and v.open and dice.random() < 0.3:
        choices.append(("kill -9", v.kill_uploader))
    what, act = dice.choice(choices)
    act()
    return f"{what} ({name})" if what.split()[0] in ("write", "link", "mkdir", "remove", "rename", "look") else what


def rounds(seed, trouble):
    print(f"    seed {seed}")
    with volume.Volume() as where:
        where.start_redis()
        with where.redis() as redis:
            for number in range(ROUNDS):
                dice = random.Random(f"{seed}/{number}")
                redis("FLUSHALL")
                v = scripts_volume.Volume(redis, "s")
                history = [step(v, dice, trouble) for _ in range(STEPS)]
                rested = v.drain()
                faults = v.faults() + ([] if rested else ["it never comes to rest"])
                if faults:
                    cases.fail(f"round {number}: " + "\n".join(faults + ["history: " + "; ".join(history)]))


def one_by_one(actions, wanted):
    """A fixed order; `wanted` is the store at rest."""
    def run():
        with volume.Volume() as where:
            where.start_redis()
            with where.redis() as redis:
                v = scripts_volume.Volume(redis, "s")
                actions(v)
                expect(v.drain(), True, "it comes to rest")
                expect(v.faults(), [], "at rest")
                expect(sorted(v.store), wanted, "the store")
    return run


def deleted_while_put(v):
    v.make("f", "a")
    v.claim("a")
    v.remove("a")
    v.finish(v.open[0], "ok")


def rewritten_while_put(v):
    v.make("f", "a")
    v.claim("a")
    v.make("f", "a")
    expect(v.claim("a"), "busy", "a second claim of the same key")
    v.finish(v.open[0], "ok")


def written_while_deleted(v):
    v.make("f", "a")
    v.drain()
    v.remove("a")
    expect(v.claim_delete("a"), "ok", "claim_delete")
    v.make("f", "a")
    expect(v.claim("a"), "busy", "a PUT beside the DELETE")
    v.finish(v.open[0], "ok")


def file_becomes_directory(v):
    v.make("f", "d")
    v.drain()
    v.remove("d")
    v.make("d", "d")


def directory_filled_and_emptied(v):
    v.make("d", "d")
    v.drain()
    v.make("f", "d/x")
    v.drain()
    v.remove("d/x")


seed = os.environ.get("WBSHIM_SEED") or str(random.SystemRandom().randrange(10**9))
cases.add("deleted while its PUT is under way", one_by_one(deleted_while_put, []))
cases.add("rewritten while its PUT is under way", one_by_one(rewritten_while_put, ["a"]))
cases.add("written again while its DELETE is under way", one_by_one(written_while_deleted, ["a"]))
cases.add("a file becomes a directory", one_by_one(file_becomes_directory, ["d/"]))
cases.add("a directory is filled and emptied", one_by_one(directory_filled_and_emptied, ["d/"]))
cases.add("random orders, no trouble", lambda: rounds(seed, False))
cases.add("random orders, lost answers, late requests, killed uploaders", lambda: rounds(seed, True))
cases.main()
