"""A volume during an outage: what programs feel of it, and whether everything drains afterwards."""
import json
import os
import socket
import struct
import threading
import time

from lib import tree, volume, wait
from lib.cases import expect

pause = threading.Event().wait  # between two looks, or how long a fault lasts: nothing is hoped for meanwhile
# core/base/shared_page.h
_BREAKER, _COUNTERS, _REDIS_ERRORS = 16, 128, 4


def page(v, offset):
    with open(os.path.join(v.staging, "run", "shared"), "rb") as file:
        file.seek(offset)
        return struct.unpack("<Q", file.read(8))[0]


def breaker_open(v):
    return page(v, _BREAKER) != 0


def redis_errors(v):
    """Failed conversations of programs with Redis, ever."""
    return page(v, _COUNTERS + 8 * _REDIS_ERRORS)


def processes(v, folder, count):
    """So many processes one after the other, each of which makes a file of its own. Returns the seconds that it took. They succeed, and
    nothing is printed."""
    start = time.monotonic()
    done = v.run(f'd="$WBSHIM_PREFIX/{folder}"; mkdir -p "$d" || exit 9; for i in $(seq {count}); do '
                 f'/bin/sh -c \'echo "$2 of $1" > "$1/$2"\' sh "$d" $i || exit 8; done', 300)
    expect((done.returncode, done.stdout, done.stderr), (0, b"", b""), f"{count} processes: exit status and output")
    return time.monotonic() - start


def at_local_speed(v, folder, count, usual):
    """The same during a fault: one time-out of at most 100 ms in all of them together, then no further wait. usual: seconds that it took
    without a fault. The bound is a machine's that has other things to do; every process that waited by itself would cost 0.1 s more."""
    errors = redis_errors(v)
    took = processes(v, folder, count)
    most = 2 * usual + 0.02 * count
    expect(took <= most, True, f"{count} processes took {took:.2f} s, {usual:.2f} s without the fault; at most {most:.2f} s")
    # The first ones that find it out, and the rare probes when no uploader does that.
    return redis_errors(v) - errors


def ask(v, request, within=5.0):
    """One request to the uploader's socket: (answer, seconds)."""
    start = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(within)
        s.connect(os.path.join(v.staging, "run", "uploader.sock"))
        s.sendall(request.encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\n"):
            part = s.recv(1 << 16)
            if not part:
                break
            answer += part
    return answer.decode(errors="surrogateescape"), time.monotonic() - start


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def uploader(v):
    """What the uploader says of itself."""
    return json.loads(v.ctl("status", "--json").stdout)["uploader"]["status"]


def drained(v):
    """Nothing waits: journal, queue, deletions."""
    with v.redis() as redis:
        return not v.journal() and not v.due() and not redis("ZCARD", v.key("del"))


def wait_drained(v, seconds=60):
    try:
        wait.until(lambda: drained(v) and not v.disagreements(), seconds, "everything to drain")
    except TimeoutError as late:
        left = f"{len(v.journal())} lines, queue {list(v.due().items())[:3]}, {v.disagreements()[:3]}"
        raise AssertionError(f"{late}: {left}; log:\n{v.log()}") from None


def file_store_faults(v):
    """Differences between the tree and the file:// store, byte for byte."""
    stored = {p: e for p, e in tree.snapshot(os.path.join(v.staging, "store")).items() if not p.startswith(".")}
    local = v.snapshot()
    faults = [f"no object of {p}" for p, e in local.items() if e.kind == "f" and p not in stored]
    faults += [f"an object of nothing: {p}" for p, e in stored.items() if e.kind == "f" and p not in local]
    for path, entry in local.items():
        if entry.kind == "f" and path in stored:
            with open(os.path.join(v.tree, path), "rb") as a, open(os.path.join(v.staging, "store", path), "rb") as b:
                if a.read() != b.read():
                    faults.append(f"other bytes: {path}")
    return faults


class RedisOutage(volume.Volume):
    """Programs and uploader reach the real Redis through a proxy."""

    def __init__(self, **options):
        from lib import redis_proxy
        super().__init__(**{"UPLOAD_DELAY": "200ms", **options})
        os.makedirs(os.path.dirname(self.socket), mode=0o700)
        os.chmod(self.staging, 0o700)
        self.proxy = redis_proxy.RedisProxy(os.path.join(self.base, "proxy.sock"), self.socket)
        self.options["REDIS_URL"] = "unix://" + self.proxy.path

    def __enter__(self):
        self.start_redis()
        self.proxy.__enter__()
        return self

    def __exit__(self, *stop):
        self.proxy.switch()
        try:
            super().__exit__(*stop)
        finally:
            self.proxy.__exit__()
