#!/usr/bin/env python3
"""Redis fails in every way: programs run on at local speed, and afterwards everything drains by itself, byte for byte, counted once."""
import contextlib
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, outage, process, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402

MANY, FEW = 200, 40
# Conversations that may fail before all others know: those under way when it began, and, without an uploader, a probe now and then.
FIRST = 8


@contextlib.contextmanager
def running(uploader=True, count=MANY, **options):
    """A volume, its uploader, and the seconds that so many processes take without a fault."""
    with outage.RedisOutage(**options) as v:
        if uploader:
            v.start()
        # The folder is there beforehand: an empty one would get an object of its own when its files are late.
        v.sh('cd "$WBSHIM_PREFIX"; mkdir during; echo > during/first')
        took = outage.processes(v, "usual", count)
        if uploader:
            outage.wait_drained(v)
        yield v, took


def healed(v, files):
    """Everything drains by itself; each file was stored once. files: how many; None: Redis has forgotten what was stored."""
    if not v.uploader_pid():
        v.start()
    outage.wait_drained(v)
    wait.until(lambda: not outage.breaker_open(v), 60, "the breaker to close")
    expect(outage.file_store_faults(v), [], "objects")
    counters = outage.uploader(v)["counters"]
    expect((counters["uploads"], counters["errors"]), (files or counters["uploads"], {}), "uploads, and errors of the store")
    outage.processes(v, "after", 3)
    expect(v.journal(), [], "lines in the journal after the fault")


def outage_case(v, took, fault, heal, count=MANY, check=lambda: None, quick=True, forgets=False):
    """The fault, programs during it, its end, the drain. quick: the uploader spares programs the probes."""
    fault()
    errors = outage.at_local_speed(v, "during", count, took)
    if quick:
        expect(errors <= FIRST, True, f"{errors} conversations with Redis failed, not one and a few")
    wait.until(lambda: outage.breaker_open(v), 20, "the breaker to open")
    check()
    heal()
    healed(v, None if forgets else 2 * count + 1)


def says(v, *parts):
    """status names the trouble and its mend."""
    def told():
        done = v.ctl("status")
        text = done.stdout.decode()
        return all(part in text for part in parts)
    wait.until(told, 20, f"status to say {parts}")


@case("down, and back with an empty memory")
def _():
    with running() as (v, took):
        outage_case(v, took, v.kill_redis, v.start_redis, check=lambda: says(v, "PROBLEM", "Redis does not answer"), forgets=True)


@case("down, no uploader: probes are rare and cheap")
def _():
    with running(uploader=False) as (v, took):
        outage_case(v, took, v.kill_redis, v.start_redis, quick=False, forgets=True)


def hang(v):
    os.kill(v.server.pid, signal.SIGSTOP)


def go_on(v):
    os.kill(v.server.pid, signal.SIGCONT)


@case("hung (SIGSTOP): the uploader goes on answering, and does not spin")
def _():
    def check():
        pid = v.uploader_pid()
        cpu, start = outage.cpu_seconds(pid), time.monotonic()
        slowest = 0.0
        while time.monotonic() < start + 6:
            for request in ("PING", "STATUS"):
                answer, took = outage.ask(v, request)
                slowest = max(slowest, took)
                expect_in("OK", answer, request)
            outage.pause(0.2)
        used = (outage.cpu_seconds(pid) - cpu) / (time.monotonic() - start)
        print(f"    slowest answer {slowest * 1000:.0f} ms, {used * 100:.1f} % of a core")
        expect(slowest < 1.5, True, f"an answer of the uploader took {slowest:.2f} s")
        expect(used < 0.7, True, f"the uploader used {used * 100:.0f} % of a core")
    with running() as (v, took):
        outage_case(v, took, lambda: hang(v), lambda: go_on(v), check=check)


@case("hung, no uploader: one time-out, then a short probe at growing intervals")
def _():
    with running(uploader=False) as (v, took):
        outage_case(v, took, lambda: hang(v), lambda: go_on(v), quick=False)


@case("hung: eight at a time wait no longer than one")
def _():
    with running(count=FEW) as (v, took):
        hang(v)
        start = time.monotonic()
        v.sh('cd "$WBSHIM_PREFIX"; mkdir p; for i in 1 2 3 4 5 6 7 8; do '
             '(for j in 1 2 3 4 5; do /bin/sh -c "echo $i.$j > p/$i.$j"; done) & done; wait')
        spent = time.monotonic() - start
        expect(spent < 2 * took + 1.5, True, f"40 processes, eight at a time, took {spent:.2f} s; one at a time without the fault {took:.2f} s")
        go_on(v)
        healed(v, FEW + 41)


@case("one process with eight threads waits once")
def _():
    text = """
import os, threading, time
p = os.environ["WBSHIM_PREFIX"]
def work(n):
    for i in range(5):
        with open(f"{p}/t{n}.{i}", "w") as f: f.write("x")
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
start = time.monotonic()
for t in threads: t.start()
for t in threads: t.join()
print(time.monotonic() - start)
"""
    with running(count=FEW) as (v, _):
        hang(v)
        took = float(v.run(["/usr/bin/python3", "-c", text]).stdout)
        expect(took < 1.0, True, f"40 files of eight threads took {took:.2f} s")
        go_on(v)
        healed(v, FEW + 41)


for seconds in (0.09, 0.1, 1.0):
    def slow(seconds=seconds):
        with running() as (v, took):
            outage_case(v, took, lambda: v.proxy.switch("delay", seconds), v.proxy.switch)
    cases.add(f"slow: {seconds:g} s an answer", slow)


@case("slow, no uploader: 90 ms an answer")
def _():
    with running(uploader=False, count=FEW) as (v, took):
        outage_case(v, took, lambda: v.proxy.switch("delay", 0.09), v.proxy.switch, count=FEW, quick=False)


@case("read only: it has become a replica")
def _():
    def role(*words):
        with v.redis() as redis:
            redis("REPLICAOF", *words)
    with running() as (v, took):
        outage_case(v, took, lambda: role("127.0.0.1", "1"), lambda: role("NO", "ONE"),
                    check=lambda: says(v, "PROBLEM", "READONLY", "set WBSHIM_REDIS_URL to the primary"))
        expect(v.log().count("READONLY"), 1, f"lines about it in the log:\n{v.log()}")


@case("full: maxmemory and noeviction")
def _():
    def limit(size):
        with v.redis() as redis:
            redis("CONFIG", "SET", "maxmemory", size)
    with running() as (v, took):
        outage_case(v, took, lambda: limit(1), lambda: limit(0), check=lambda: says(v, "PROBLEM", "OOM", "raise its maxmemory"))
        expect(v.log().count("OOM"), 1, f"lines about it in the log:\n{v.log()}")


@case("another password: new programs are refused, the uploader when it connects anew")
def _():
    def change():
        with v.redis() as redis:
            redis("CONFIG", "SET", "requirepass", "other")

    def back():
        from lib import resp
        with resp.Redis(v.socket) as redis:
            redis("AUTH", "other")
            redis("CONFIG", "SET", "requirepass", "")

    def check():
        v.proxy.drop()
        wait.until(lambda: "NOAUTH" in v.log(), 20, "the uploader to hear of it")
        says(v, "PROBLEM", "NOAUTH", "WBSHIM_REDIS_URL")
    with running() as (v, took):
        outage_case(v, took, change, back, check=check)
        expect(v.log().count("NOAUTH"), 1, f"lines about it in the log:\n{v.log()}")


@case("restarted, and loading for a while")
def _():
    def restart():
        with v.redis() as redis:
            for i in range(300):
                redis("SET", f"ballast:{i}", "x" * 2048)
            redis("SAVE")
        v.kill_redis()
        v.server = process.start(["redis-server", "--port", "0", "--unixsocket", v.socket, "--save", "", "--dir", v.base,
                                  "--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"])
        wait.until(lambda: loading() is True, 30, "redis-server to load")

    def loading():
        from lib import resp
        try:
            with v.redis() as redis:
                redis("PING")
            return False
        except resp.RedisError as e:
            return str(e).startswith("LOADING")
        except OSError:
            return None
    with running(count=FEW) as (v, took):
        outage_case(v, took, restart, lambda: wait.until(lambda: loading() is False, 60, "the end of loading"), count=FEW)


CUTS = [("cut in the middle of requests", ("cut", "request")), ("cut in the middle of answers", ("cut", "answer")),
        ("answers lost after they were given", ("lose",)), ("accepts and closes", ("close",)), ("accepts and never answers", ("hang",)),
        ("answers one byte at a time", ("trickle", 0.03)), ("garbage", ("garbage", b"\x00\xff*-1 nonsense\r\n+OK\r\n")),
        ("a huge array announced", ("garbage", b"*1000000000\r\n")), ("scripts forgotten at once", ("error", "NOSCRIPT No matching script.")),
        ("cannot save its data", ("error", "MISCONF Redis is configured to save RDB snapshots", "EVALSHA", "HSET", "ZADD"))]
for name, fault in CUTS:
    def misbehave(fault=fault):
        def begin():
            v.proxy.switch(*fault)
            v.proxy.drop()

        def end():
            v.proxy.switch()
            v.proxy.drop()
        with running(count=FEW) as (v, took):
            outage_case(v, took, begin, end, count=FEW, quick=False)
    cases.add(f"the line: {name}", misbehave)


for script, what in (("claim", "uploads"), ("finish", "uploads"), ("claim_delete", "deletions"), ("finish_delete", "deletions"), ("publish", "uploads")):
    def lost(script=script, what=what):
        with open(os.path.join(build.BUILD, "core", "scripts", "scripts.h"), encoding="utf-8") as text:
            digest = re.search(rf'Script {script}{{"{script}", "([0-9a-f]+)"', text.read())[1].encode()
        with outage.RedisOutage(UPLOAD_DELAY="0s") as v:
            v.start()
            outage.processes(v, "kept", 5)
            if what == "deletions":
                outage.wait_drained(v)
            v.proxy.switch("lose", digest)
            v.sh('rm "$WBSHIM_PREFIX"/kept/*' if what == "deletions" else 'echo x > "$WBSHIM_PREFIX/kept/1"')
            wait.until(lambda: v.proxy.losses >= 2, 30, f"an answer to {script}.lua to be lost")
            v.proxy.switch()
            outage.wait_drained(v, 30)
            expect(outage.file_store_faults(v), [], "objects")
    cases.add(f"the answer to {script}.lua is lost: {what} go on", lost)


@case("answers lost at any moment while the uploader works: no entry is stuck, none is stored twice for nothing")
def _():
    with outage.RedisOutage(UPLOAD_DELAY="0s", MAX_UPLOADS="4") as v:
        v.start()
        for turn in range(6):
            outage.processes(v, f"d{turn}", 20)
            for _ in range(5):
                v.proxy.switch("lose")
                outage.pause(0.02)
                v.proxy.switch()
                outage.pause(0.05)
        outage.wait_drained(v)
        expect(outage.file_store_faults(v), [], "objects")


cases.main()
