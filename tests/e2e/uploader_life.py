#!/usr/bin/env python3
"""The uploader's life: killed in the middle, started again, ended politely, alone in its staging directory."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, s3, stored, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402

server = s3.Server("radosgw")


def foreground(v):
    """The uploader as our own child, so that its exit status can be seen."""
    child = process.start([build.UPLOADER], env=v.tool_env(), stderr=process.subprocess.PIPE)
    wait.until(lambda: v.uploader_pid() == child.pid and os.path.exists(os.path.join(v.staging, "run", "uploader.sock")), 60, "the uploader")
    return child


@case("radosgw starts")
def _():
    server.__enter__()


@case("kill -9 in the middle of a drain, again and again: everything arrives, once the last one lives")
def _():
    with stored.StoredVolume(server, UPLOAD_DELAY="0s", MAX_UPLOADS="4") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for d in 1 2 3 4 5; do mkdir d$d; for i in $(seq 60); do echo $d $i > d$d/f$i; done; done")
        seen = 0
        for _ in range(4):
            seen = wait.until(lambda: len(v.stored_paths()) > seen and len(v.stored_paths()), 30, "progress")
            if v.due():
                v.kill_uploader()
                v.start()
        v.wait_drained()
        expect(v.disagreements(), [], "records")
        expect(v.wrong_objects(), [], "objects")


@case("kill -9 of everything but the tree: a removal made meanwhile is honoured")
def _():
    with stored.StoredVolume(server, UPLOAD_DELAY="200ms") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; echo 1 > a; echo 2 > b")
        v.wait_drained()
        v.kill_uploader()
        v.sh("cd $WBSHIM_PREFIX; rm a; echo 22 > b; echo 3 > c")
        v.start()
        v.wait_drained()
        expect(v.stored_paths(), ["b", "c"], "objects")
        expect(v.wrong_objects(), [], "objects against the tree")


@case("SIGTERM: exit 0, nothing claimed is left behind")
def _():
    with stored.StoredVolume(server, UPLOAD_DELAY="0s", MAX_UPLOADS="4") as v:
        v.start_redis()
        child = foreground(v)
        v.sh("cd $WBSHIM_PREFIX; for i in $(seq 300); do echo $i > f$i; done")
        wait.until(v.stored_paths, 60, "the first objects")
        child.send_signal(signal.SIGTERM)
        expect(child.wait(20), 0, "exit status")
        child.stderr.close()
        with v.redis() as redis:
            busy = [k for k, row in redis.hash(v.key("object")).items() if b'"busy"' in row]
        expect(busy, [], "claims")
        expect(os.path.exists(os.path.join(v.staging, "run", "uploader.pid")) and v.uploader_pid() is not None, False, "a pid of the living")
        v.start()
        v.wait_drained()
        expect(v.wrong_objects(), [], "objects")
        expect({v.puts(f"f{i}") for i in range(1, 301)}, {1}, "PUTs per file")


@case("a second uploader of one staging directory is refused by one line and exit 2")
def _():
    with stored.StoredVolume(server) as v:
        v.start()
        done = process.run([build.UPLOADER], 20, env=v.tool_env())
        expect(done.returncode, 2, "exit status")
        lines = done.stderr.decode().strip().splitlines()
        expect(len(lines), 1, f"lines on stderr: {lines}")
        cases.expect_in(str(v.uploader_pid()), lines[0], "the line names who runs")


@case("start is idempotent; stop ends uploader and private Redis; nothing is left behind")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        pids = v.uploader_pid(), v.redis_pid()
        expect(None in pids, False, f"pids {pids}")
        v.start()
        expect((v.uploader_pid(), v.redis_pid()), pids, "the same processes after a second start")
        for pid in pids:
            with open(f"/proc/{pid}/environ", "rb") as f:
                expect(b"LD_PRELOAD" in f.read(), False, "LD_PRELOAD in a daemon")
            expect({os.readlink(f"/proc/{pid}/fd/{n}") for n in (0, 1)} <= {"/dev/null", os.path.join(v.staging, "run", "uploader.log"),
                   os.path.join(v.staging, "run", "redis.log")}, True, "the daemon's stdio")
        v.sh("echo kept > $WBSHIM_PREFIX/f")
        v.ctl_ok("stop")
        expect([process.alive(p) for p in pids], [False, False], "alive")
        v.start()
        expect(v.disagreements(), [], "records after the restart (the private Redis keeps them)")
        v.ctl_ok("stop")


@case("the store comes and goes: nothing is lost, nothing is dead-lettered")
def _():
    with s3.Server("radosgw", CEPH_STORE="bluestore") as mortal, stored.StoredVolume(mortal, UPLOAD_DELAY="0s") as v:
        v.start()
        v.sh("echo 1 > $WBSHIM_PREFIX/before")
        wait.until(lambda: v.object("before"), 60, "the first object")
        port = mortal.port
        mortal.stop()
        v.sh("cd $WBSHIM_PREFIX; for i in $(seq 50); do echo $i > f$i; done; rm before")
        v.sh("cat $WBSHIM_PREFIX/f7")
        mortal.start(port)
        v.wait_drained(90)
        expect(v.wrong_objects(), [], "objects")
        with v.redis() as redis:
            expect([redis.hash(k) for k in redis.keys(v.key("dead:*"))], [], "dead letters")


@case("radosgw stops")
def _():
    server.__exit__()


cases.main()
