#!/usr/bin/env python3
"""shim-ctl status names the entry that waits longest, and what keeps it waiting."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, process, s3, stored, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402

server = s3.Server("radosgw")


def oldest(v):
    """(path, what blocks it), or None."""
    entry = json.loads(v.ctl("status", "--json").stdout).get("oldest")
    return (entry["path"], entry["blocked_by"]) if entry else None


@case("radosgw starts")
def _():
    server.__enter__()


@case("nothing waits; not due yet, with its age and when; no uploader; Redis away")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start_redis()
        v.start()
        expect(oldest(v), None, "an empty queue")
        v.sh("echo 1 > $WBSHIM_PREFIX/first")
        wait.until(lambda: json.loads(v.ctl("status", "--json").stdout)["oldest"]["age_seconds"] > 0.5, what="the entry to age")
        v.sh("echo 2 > $WBSHIM_PREFIX/second")
        entry = json.loads(v.ctl("status", "--json").stdout)["oldest"]
        expect((entry["path"], entry["blocked_by"]), ("first", "not_due"), "the oldest")
        expect(3500 < entry["due_in_seconds"] < 3600 and 0.5 < entry["age_seconds"] < 100, True, f"times of {entry}")
        expect_in("oldest    /proc/wb/first, for ", v.ctl("status").stdout.decode(), "for people")
        v.kill_uploader()
        expect(oldest(v), ("first", "no_uploader"), "without an uploader")
        v.kill_redis()
        v.sh("echo 3 > $WBSHIM_PREFIX/third")
        expect(oldest(v), ("third", "redis_away"), "without Redis, from the journal")


@case("open for writing; in flight; a claim; a dead letter", 300)
def _():
    with stored.StoredVolume(server, UPLOAD_DELAY="0s") as v:
        v.start_redis()
        v.start()
        hold = "import os, sys\nf = open(os.environ['WBSHIM_PREFIX'] + '/open', 'w')\nf.write('x')\nf.flush()\ng = open(f.name, 'a')\nf.close()\n" \
               "print('go', flush=True)\nsys.stdin.read()"
        child = process.start(["/usr/bin/python3", "-c", hold], env=v.program_env(), stdin=process.subprocess.PIPE, stdout=process.subprocess.PIPE)
        child.stdout.readline()
        wait.until(lambda: oldest(v) == ("open", "open_for_writing"), what="the open file to be named")
        child.communicate(timeout=60)
        v.wait_drained()
        pids = server_pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            v.sh("echo 1 > $WBSHIM_PREFIX/hanging")
            wait.until(lambda: oldest(v) == ("hanging", "in_flight"), what="the upload under way to be named")
            v.kill_uploader()
            with v.redis() as redis:
                client = redis("HGET", v.key("meta"), "client").decode()
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        v.start()
        v.wait_drained()
        with v.redis() as redis:  # a claim of the same uploader's other request, as during a deletion
            instance = redis("HGET", v.key("client:" + client), "instance").decode()
            redis("HSET", v.key("object"), "held", '{"busy":"%s/%s/1/1"}' % (client, instance))
        v.sh("echo 1 > $WBSHIM_PREFIX/held")
        wait.until(lambda: oldest(v) == ("held", "claim"), what="the claim to be named")
        with v.redis() as redis:
            redis("HSET", v.key("dead:" + client), "held", json.dumps({"class": "AccessDenied", "message": "no", "attempts": 3, "time": 1}))
        expect(oldest(v), ("held", "dead_letter"), "a dead letter")
        with v.redis() as redis:
            redis("HDEL", v.key("object"), "held")
            redis("HDEL", v.key("dead:" + client), "held")
        v.wait_drained()


def server_pids():
    """The processes of the S3 server."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as f:
                    if server.path.encode() in f.read():
                        found.append(int(name))
            except OSError:
                pass
    return found


@case("the store away: since when, and its trouble")
def _():
    with s3.Server("radosgw") as mortal, stored.StoredVolume(mortal, UPLOAD_DELAY="0s") as v:
        v.start()
        mortal.stop()
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3 4 5; do echo 1 > f$i; done")
        wait.until(lambda: (oldest(v) or ("", ""))[1] == "store_away", what="the store to be named")
        wait.until(lambda: "the store is away for " in v.ctl("status").stdout.decode(), what="since when")
        expect_in("connect", json.loads(v.ctl("status", "--json").stdout)["oldest"]["detail"], "the trouble")


@case("radosgw stops")
def _():
    server.__exit__()


cases.main()
