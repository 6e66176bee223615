#!/usr/bin/env python3
"""The store fails in every way: programs do not notice, no file is at fault, and afterwards everything drains in order of age."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, outage, s3, store_outage, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402
from lib.store_outage import StoreOutage, bear, begin, healed  # noqa: E402

COUNT = 20


def run(fault, heal=None, server=None, twice=False, says=(), met=None, seconds=60, **options):
    """A fault, programs during it, its end, the drain."""
    with StoreOutage(server, **options) as v:
        took = begin(v, COUNT)
        fault(v)
        bear(v, COUNT, took, met and (lambda: met(v)))
        told = v.ctl("status").stdout.decode()
        for part in ("PROBLEM", *says):
            expect_in(part, told, "status")
        (heal or (lambda v: v.s3.switch()))(v)
        healed(v, COUNT, twice, seconds)


def switch(*fault):
    return lambda v: v.s3.switch(*fault)


PLAIN = [
    ("500 InternalError", ("status", 500, "InternalError"), ("InternalError",)),
    ("503 SlowDown", ("status", 503, "SlowDown"), ("SlowDown",)),
    ("reset in the middle of the body", ("cut", "body"), ()),
    ("answers cut in the middle", ("cut", "answer"), ()),
    ("accepts and closes", ("close",), ()),
    ("answers shorter than they say", ("length", 10), ()),
    ("403 AccessDenied for everything", ("status", 403, "AccessDenied"), ("AccessDenied", "allow s3:PutObject")),
    ("404 NoSuchBucket", ("status", 404, "NoSuchBucket"), ("NoSuchBucket", "create it")),
    ("507, its disks are full", ("status", 507, "InsufficientStorage"), ("the server's disks are full",)),
]
for name, fault, says in PLAIN:
    done_before = fault[0] in ("cut", "length") and fault[1] != "body"
    cases.add(name, lambda fault=fault, says=says, twice=done_before: run(
        switch(*fault), says=says, twice=twice, met=(lambda v: outage.uploader(v)["store"]["trouble"]) if fault == ("close",) else None))


@case("done, and the answer lost: stored again, counted once")
def _():
    run(switch("lose"), twice=True)


@case("down and up again")
def _():
    run(lambda v: v.s3.down(), lambda v: v.s3.up(), met=lambda v: outage.uploader(v)["store"]["away"], says=("connect",))


@case("slow: a second an answer")
def _():
    with StoreOutage(MAX_UPLOADS="4") as v:
        took = begin(v, COUNT)
        v.s3.switch("delay", 1.0)
        outage.at_local_speed(v, "during", COUNT, took)
        outage.wait_drained(v)
        expect(v.wrong_objects(), [], "objects")
        expect(outage.uploader(v)["counters"]["errors"], {}, "errors")


@case("hung: the request has a deadline, and everything is stored after it", seconds=240)
def _():
    with StoreOutage() as v:
        took = begin(v, COUNT)
        v.s3.switch("hang")
        start = time.monotonic()
        bear(v, COUNT, took, lambda: v.s3.busy > 0)
        wait.until(lambda: outage.uploader(v)["store"]["trouble"], 120, "the deadline of a request that hangs")
        print(f"    noticed after {time.monotonic() - start:.0f} s")
        v.s3.switch()
        # The one that hung waits for its own pause, a second at most, while the others go.
        healed(v, COUNT, twice=True, seconds=120, late="during/1")


@case("503 SlowDown with Retry-After: nothing is sent before, and then few at once")
def _():
    with StoreOutage(MAX_UPLOADS="16") as v:
        begin(v, COUNT)
        v.s3.switch("status", 503, "SlowDown", ("Retry-After", "4"))
        outage.processes(v, "during", COUNT)
        wait.until(lambda: v.failures(), 60, "a request to be refused")
        outage.pause(1)  # what was on its way by then
        last = max(r.time for r in v.failures())
        v.s3.switch("delay", 0.05)
        with v.s3.lock:
            v.s3.peak = 0
        outage.wait_drained(v)
        later = [r.time for r in v.s3.requests if r.time > last]
        expect(min(later) - last >= 2.5, True, f"the first request came {min(later) - last:.2f} s after a Retry-After of 4 s")
        expect(v.s3.peak <= 12, True, f"{v.s3.peak} requests at once after SlowDown, 16 allowed before")
        expect(v.wrong_objects(), [], "objects")
        expect(outage.uploader(v)["dead_letters"], 0, "dead letters")


for hours in (-2, 0.5):
    def skewed(hours=hours):
        with StoreOutage() as v:
            took = begin(v, COUNT)
            v.s3.switch("skew", hours * 3600)
            outage.at_local_speed(v, "during", COUNT, took)
            healed(v, COUNT)
            refused = [r for r in v.failures() if r.status == 403]
            expect(1 <= len(refused) <= 3, True, f"{len(refused)} requests were refused before the clock was corrected")
            # Back again, by a jump.
            v.s3.switch("skew", 0)
            outage.processes(v, "later", 5)
            outage.wait_drained(v)
            expect(v.wrong_objects(), [], "objects")
    cases.add(f"the server's clock is {hours:g} h ahead: measured, corrected, and back again", skewed)


@case("a start with a wrong clock")
def _():
    with StoreOutage() as v:
        v.s3.switch("skew", 7200)
        v.start()
        outage.processes(v, "during", 3)
        outage.wait_drained(v)
        expect(v.wrong_objects(), [], "objects")


@case("rotated keys: the new file is read, nothing waits")
def _():
    with StoreOutage() as v:
        took = begin(v, COUNT)
        v.write_keys("key2", "secret2")
        v.s3.switch("keys", "key2", "InvalidAccessKeyId")
        outage.at_local_speed(v, "during", COUNT, took)
        healed(v, COUNT, seconds=15)
        expect(len(v.failures()) <= 2, True, f"{len(v.failures())} refused requests")


@case("expired keys, renewed later")
def _():
    def renew(v):
        v.s3.switch("keys", "key2", "ExpiredToken")
        v.write_keys("key2", "secret2")
    run(lambda v: v.s3.switch("keys", "key2", "ExpiredToken"), renew, says=("ExpiredToken", "renew it"),
        met=lambda v: outage.uploader(v)["store"]["trouble"])


@case("a hundred files and no bucket: no dead letters, and flush says so at once")
def _():
    with StoreOutage(MAX_UPLOADS="8") as v:
        begin(v, COUNT)
        v.s3.switch("status", 404, "NoSuchBucket")
        outage.processes(v, "during", 100)
        start = time.monotonic()
        done = v.ctl("flush", timeout=60)
        expect(done.returncode, 1, "flush")
        expect_in("NoSuchBucket", done.stderr.decode(), "flush")
        expect(time.monotonic() - start < 20, True, f"flush took {time.monotonic() - start:.1f} s")
        expect(outage.uploader(v)["dead_letters"], 0, "dead letters")
        requests = len(v.s3.requests)
        expect(requests < 100, True, f"{requests} requests")
        v.s3.switch()
        v.ctl_ok("flush", timeout=60)  # mended: the next one asks the store, not its own memory
        outage.wait_drained(v)
        expect(v.wrong_objects(), [], "objects")


@case("some files are refused for good: dead letters, and they stop nobody")
def _():
    with StoreOutage(MAX_UPLOADS="2") as v:
        begin(v, COUNT)
        v.s3.switch("status", 403, "AccessDenied", only=lambda r: "/bad/" in r.path)
        outage.processes(v, "bad", 15)
        outage.processes(v, "during", COUNT)
        wait.until(lambda: outage.uploader(v)["dead_letters"] == 15 and set(v.due()) == set(store_outage.paths("bad", 15)), 60,
                   "the others to be stored")
        expect(not [w for w in v.wrong_objects() if "bad/" not in w], True, "objects of the others")


@case("one file fails again and again: the others go past it")
def _():
    with StoreOutage() as v:
        begin(v, COUNT)
        v.s3.switch("status", 500, "InternalError", only=lambda r: r.path.endswith("/bad"))
        v.sh('echo > "$WBSHIM_PREFIX/bad"')
        outage.processes(v, "during", COUNT)
        wait.until(lambda: set(v.due()) == {"bad"}, 60, "the others to be stored")
        v.s3.switch()
        outage.wait_drained(v)
        expect(v.wrong_objects(), [], "objects")


def real(name, fault, **options):
    def body():
        with s3.Server("radosgw") as server:
            run(fault, server=server, **options)
    cases.add("radosgw behind the proxy: " + name, body)


real("503 SlowDown", switch("status", 503, "SlowDown"), says=("SlowDown",))
real("reset in the middle of bodies", switch("cut", "body"))
real("answers lost", switch("lose"), twice=True)


@case("radosgw: the bucket is gone, and back")
def _():
    with s3.Server("radosgw") as server, StoreOutage(server) as v:
        took = begin(v, COUNT)
        versions = server.client.list_object_versions(Bucket=v.bucket.name)
        for version in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
            server.client.delete_object(Bucket=v.bucket.name, Key=version["Key"], VersionId=version["VersionId"])
        server.client.delete_bucket(Bucket=v.bucket.name)
        bear(v, COUNT, took, lambda: "NoSuchBucket" in outage.uploader(v)["store"]["trouble"])
        expect(outage.uploader(v)["dead_letters"], 0, "dead letters")
        server.client.create_bucket(Bucket=v.bucket.name)
        outage.wait_drained(v)
        order = [p for p in v.stored_in_order() if p in store_outage.paths("during", COUNT)]
        expect(order, store_outage.paths("during", COUNT), "PUTs in order of age")
        expect([w for w in v.wrong_objects() if "during/" in w and "first" not in w], [], "objects of during")


cases.main()
