#!/usr/bin/env python3
"""Back-pressure by what waits: WBSHIM_MAX_STAGED and WBSHIM_MAX_STAGE_WRITE, with a store that is fast, slow, hangs, or is down."""
import json
import os
import socket
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [HERE, os.path.join(HERE, "s3")]
import relay  # noqa: E402
from lib import cases, process, s3, scratch, stored, stored_files, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402

KILO = 1024
server = s3.Server("radosgw")
# Writes N files of SIZE bytes, a line each with the seconds that open and close took.
WRITER = """
import os, sys, time
prefix, name, count, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for i in range(count):
    start = time.monotonic()
    fd = os.open(f"{prefix}/{name}{i:03}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    opened = time.monotonic()
    os.write(fd, os.urandom(size))
    written = time.monotonic()
    os.close(fd)
    print(f"{opened - start:.3f} {time.monotonic() - written:.3f}", flush=True)
"""
# Opens N files at once, prints "open", waits for a line, closes them in order.
HOLDER = """
import os, sys
fds = [os.open(f"{sys.argv[1]}/{sys.argv[2]}{i}", os.O_WRONLY | os.O_CREAT, 0o644) for i in range(int(sys.argv[3]))]
for fd in fds:
    os.write(fd, b"held open")
print("open", flush=True)
sys.stdin.readline()
for fd in fds:
    os.close(fd)
print("closed", flush=True)
"""


def write(v, name, count, size):
    """Seconds of the opens, of the closes."""
    done = v.run(["/usr/bin/python3", "-c", WRITER, volume.PREFIX, name, str(count), str(size)], 110)
    expect((done.returncode, done.stderr), (0, b""), "the writer's end")
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    return [float(a) for a, _ in lines], [float(b) for _, b in lines]


def holder(v, name, count):
    child = process.start(["/usr/bin/python3", "-c", HOLDER, volume.PREFIX, name, str(count)], env=v.program_env(),
                          stdin=process.subprocess.PIPE, stdout=process.subprocess.PIPE, text=True)
    expect(child.stdout.readline(), "open\n", "the holder's word")
    return child


def let_go(child):
    child.stdin.write("\n")
    child.stdin.flush()
    expect(child.stdout.readline(), "closed\n", "the holder's word")
    expect(child.wait(30), 0, "the holder's exit status")


def status(v):
    """Of the uploader; shim-ctl's exit status says whether all is well, which it need not be."""
    return json.loads(v.ctl("status", "--json").stdout)["uploader"]["status"]


def state(v):
    return status(v)["pressure"]


def metric(v, name):
    for line in v.sh("cat $WBSHIM_PREFIX/.stats").splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return cases.fail(f"no metric {name}")


def waiting_bytes(v):
    return sum(r["size"] for p, r in v.records().items() if r["t"] == "f" and r["state"] == "staged")


class Relayed(stored.StoredVolume):
    """A bucket behind a relay that can be slow, or hang."""

    def __init__(self, between, **options):
        super().__init__(server, UPLOAD_DELAY="1h", **options)
        self.extra["AWS_ENDPOINT_URL_S3"] = between.url


@case("radosgw starts")
def _():
    server.__enter__()


@case("below the soft mark nothing is uploaded before its delay, and nobody waits")
def _():
    with scratch.directory(scratch.memory()) as store, volume.Volume(UPLOAD_DELAY="1h", MAX_STAGED="1M", STORE_URL=f"file://{store}") as v:
        v.start()
        write(v, "f", 7, 100 * KILO)
        wait.until(lambda: state(v)["staged_bytes"] == 700 * KILO, what="the sum")
        expect(state(v)["level"], "none", "level")
        expect(stored_files.of(store), {}, "objects")
        expect([metric(v, m) for m in ("wbshim_early_uploads_total", "wbshim_room_waits_total", "wbshim_pressure_level")], [0, 0, 0], "metrics")


@case("over the soft mark: early, oldest first, and no more than has to be; logged once")
def _():
    with scratch.directory(scratch.memory()) as store, volume.Volume(UPLOAD_DELAY="1h", MAX_STAGED="1M", STORE_URL=f"file://{store}") as v:
        v.start()
        write(v, "f", 9, 100 * KILO)
        wait.until(lambda: stored_files.of(store), what="an early upload")
        wait.until(lambda: state(v)["level"] == "none", what="the level to fall")
        # 900 K of 1024 K: one of them is enough to get below 819.2 K.
        expect(sorted(stored_files.of(store)), ["f000"], "objects")
        write(v, "g", 2, 100 * KILO)
        wait.until(lambda: waiting_bytes(v) <= 819 * KILO and state(v)["level"] == "none", what="early uploads")
        expect(sorted(stored_files.of(store)), ["f000", "f001", "f002"], "the oldest objects")
        expect(metric(v, "wbshim_early_uploads_total"), 3, "early uploads")
        expect(v.log().count("room runs out"), 1, f"lines in the log:\n{v.log()}")


@case("the hard mark with a slow store: stored before close returns, opens wait, the cap holds")
def _():
    with relay.Relay(server.endpoint) as between, Relayed(between, MAX_STAGED="500K", MAX_UPLOADS="2") as v:
        v.start()
        between.delay = 0.05
        most = 0
        writers = [process.start(["/usr/bin/python3", "-c", WRITER, volume.PREFIX, name, "12", str(50 * KILO)], env=v.program_env())
                   for name in "abcd"]
        while any(w.poll() is None for w in writers):
            most = max(most, waiting_bytes(v))
        expect([w.returncode for w in writers], [0] * 4, "the writers' exit status")
        expect(500 * KILO < most <= 700 * KILO, True, f"staged at most {most} bytes of 500 K and a file of each")
        expect(metric(v, "wbshim_room_waits_total") > 0, True, "opens that waited")
        expect(metric(v, 'wbshim_write_through_total{cause="staged"}') > 0, True, "files stored at their close")
        expect(metric(v, "wbshim_write_through_left_total"), 0, "files left")
        between.delay = 0
        v.ctl_ok("flush")
        expect(v.wrong_objects(), [], "objects")


@case("a store that hangs: one wait with a bound, then the program goes on as on a local disk, and all is kept")
def _():
    with relay.Relay(server.endpoint) as between, Relayed(between, MAX_STAGED="300K") as v:
        v.start()
        between.gate.clear()
        start = time.monotonic()
        opens, closes = write(v, "f", 30, 50 * KILO)
        expect(time.monotonic() - start < 60, True, f"thirty files took {time.monotonic() - start:.1f} s: {opens} {closes}")
        slow = [t for t in opens + closes if t > 1]
        expect(1 <= len(slow) <= 3, True, f"long waits: {slow}")
        expect(max(slow) < 20, True, f"the longest: {max(slow)}")
        between.gate.set()
        v.ctl_ok("flush")
        expect(v.wrong_objects(), [], "objects")


@case("the store down: nobody waits, closes succeed, everything is queued and arrives later")
def _():
    with s3.Server("radosgw", CEPH_STORE="bluestore") as mortal, stored.StoredVolume(mortal, MAX_STAGED="200K", UPLOAD_DELAY="1h") as v:
        v.start()
        port = mortal.port
        mortal.stop()
        write(v, "a", 6, 50 * KILO)  # over the cap: uploads begin, and fail
        wait.until(lambda: status(v)["store"]["away"], what="the store to be known as away")
        opens, closes = write(v, "b", 20, 50 * KILO)
        expect(max(opens + closes) < 1.5, True, f"the longest step: {max(opens + closes)}")
        expect(state(v)["level"], "hard", "level")
        expect(sum(n.startswith(("a", "b")) for n in v.due()), 26, "queued")
        mortal.start(port)
        v.ctl_ok("flush", timeout=100)
        expect(v.wrong_objects(), [], "objects")


@case("more files open for writing than WBSHIM_MAX_STAGE_WRITE: the excess is stored at its close, the rest waits for its delay")
def _():
    with scratch.directory(scratch.memory()) as store, \
            volume.Volume(UPLOAD_DELAY="1h", MAX_STAGE_WRITE="3", STORE_URL=f"file://{store}") as v:
        v.start()
        let_go(holder(v, "f", 5))
        expect(sorted(stored_files.of(store)), ["f0", "f1"], "objects")
        expect(metric(v, 'wbshim_write_through_total{cause="open_files"}'), 2, "the metric")
        let_go(holder(v, "g", 3))
        expect(sorted(stored_files.of(store)), ["f0", "f1"], "objects after three files at once")


@case("killed processes, forks and execs leave no files behind in that count")
def _():
    with scratch.directory(scratch.memory()) as store, \
            volume.Volume(UPLOAD_DELAY="1h", MAX_STAGE_WRITE="3", STORE_URL=f"file://{store}") as v:
        v.start()
        child = holder(v, "f", 5)
        wait.until(lambda: state(v)["files_writing"] == 5, what="five files to be counted")
        expect(state(v)["level"], "hard", "level")
        child.kill()
        child.wait()
        wait.until(lambda: state(v)["files_writing"] == 0, what="the dead to be forgotten")
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3 4 5 6; do (echo $i; exec /bin/echo more) > g$i; done")
        wait.until(lambda: state(v)["files_writing"] <= 1, what="what execs left to be recounted")
        write(v, "h", 1, 10)
        expect("h000" in stored_files.of(store), False, "a single file was stored at its close")


@case("the uploader killed at the hard mark: its word is worth nothing after five seconds, and costs nothing before")
def _():
    with scratch.directory(scratch.memory()) as store, volume.Volume(UPLOAD_DELAY="1h", MAX_STAGED="100K", STORE_URL=f"file://{store}") as v:
        v.start_redis()
        v.start()
        child = holder(v, "big", 1)
        write(v, "f", 5, 50 * KILO)
        v.kill_uploader()
        opens, closes = write(v, "g", 10, 50 * KILO)
        expect(max(opens + closes) < 1, True, f"the longest step: {max(opens + closes)}")
        let_go(child)
        v.start()
        v.ctl_ok("flush")
        expect(len(stored_files.of(store)), 16, "objects")


@case("ROOM and SPACE: what is no number is refused; with room the answer is at once; a quota gets the reserve, once")
def _():
    with volume.Volume() as v, socket.socket(socket.AF_UNIX) as asker:
        v.start()
        asker.connect(os.path.join(v.staging, "run", "uploader.sock"))
        said = []
        for request in (b"ROOM", b"ROOM x", b"SPACE 5", b"SPACE x 5", b"SPACE 5 x", b"ROOM 5000", b"SPACE 4096 5000", b"RELIEVE", b"RELIEVE nothing",
                        b"SPACE quota 100", b"SPACE quota 100"):
            asker.sendall(request + b"\0")
            said.append(asker.recv(200).split(b" ")[:2])
        words = [b" ".join(s).strip() for s in said]
        expect(words, [b"ERR EINVAL"] * 5 + [b"OK", b"OK", b"ERR EINVAL", b"ERR ENOENT", b"OK", b"ERR ENOSPC"], "answers")


@case("radosgw stops")
def _():
    server.__exit__()


cases.main()
