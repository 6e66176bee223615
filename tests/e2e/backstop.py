#!/usr/bin/env python3
"""What changes without the library is found by the kernel's events, and what the library has published is left as it is."""
import contextlib
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, compiled, process, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402

WITHIN = 2  # seconds, on a machine that has time


def stats(v):
    """The uploader's metrics, once a second."""
    try:
        with open(os.path.join(v.staging, "run", "stats"), encoding="ascii") as file:
            return {line.split()[0]: float(line.split()[1]) for line in file if not line.startswith("#")}
    except FileNotFoundError:
        return {}


def scans(v):
    return v.ctl_json("status")["uploader"]["status"]["counters"]["scans"]


def watch(v):
    return v.ctl_json("status")["uploader"]["status"]["watch"]


def started(v):
    """Until the scan at start is over: the next one is ten minutes away."""
    v.start()
    wait.until(lambda: scans(v) == 1, 60, "the scan at start")
    by = watch(v)
    forced = v.options.get("WATCH_BY")
    if by["by"] != "fanotify" and not forced:
        print(f"    no fanotify: {by['reason']}")
    expect(by["by"] if forced else by["by"] == "fanotify" or by["reason"] != "", forced or True, f"who watches: {by}")
    return v


def both(name):
    """A case for each of the kernel's ways; where fanotify is forbidden, the first is the fallback, and says so."""
    def add(function):
        cases.add(name, lambda: function(volume.Volume(UPLOAD_DELAY="1h")))
        cases.add(f"inotify: {name}", lambda: function(volume.Volume(UPLOAD_DELAY="1h", WATCH_BY="inotify")))
        return function
    return add


def bare(v, command):
    """A shell command in the tree, without the library."""
    done = process.run(["/bin/bash", "-ec", command], 60, cwd=v.tree)
    expect((done.returncode, done.stderr), (0, b""), command)


def agrees(v, what, within=WITHIN):
    if within:
        with contextlib.suppress(TimeoutError):
            wait.promised(lambda: not v.disagreements(), within, "the records")
    expect(v.disagreements(), [], f"records after {what}; log:\n{v.log()}")


def found(v, *commands):
    """Each command changes the tree; the records follow without a scan."""
    for command in commands:
        bare(v, command)
        agrees(v, command)
    expect(scans(v), 1 + v.handovers(), "scans")


def foreground(v, preload, watches):
    """The uploader with a kernel that has few watches."""
    uploader(v, env={"LD_PRELOAD": preload, "WBTEST_WATCHES": watches, "WBSHIM_WATCH_BY": "inotify"})


def uploader(v, *before, env=None):
    process.start([*before, build.UPLOADER], env=dict(v.tool_env(), **(env or {})))
    wait.until(lambda: v.uploader_pid() and os.path.exists(os.path.join(v.staging, "run", "uploader.sock")), 60, "the uploader")
    wait.until(lambda: scans(v) == 1, 60, "the scan at start")


def evalshas(v):
    """Scripts that ran; the first call of a new server finds none and fails."""
    with v.redis() as redis:
        for line in redis("INFO", "commandstats").decode().splitlines():
            if line.startswith("cmdstat_evalsha:"):
                fields = dict(field.split("=") for field in line.split(":")[1].split(","))
                return int(fields["calls"]) - int(fields["failed_calls"])
    return 0


@both("files: created, appended to, truncated, renamed, renamed over another, removed, chmod, touch")
def _(new):
    with new as v:
        found(started(v), "echo one > a; : > empty; umask 077; echo three > c", "echo more >> a", "truncate -s 2 a", "mv a b", "mv c b",
              "chmod 600 b; touch -d @5 b", "rm b empty")
        expect(v.records(), {}, "records at last")


@both("links: symbolic, replaced, hard, removed; FIFOs and sockets are none of it")
def _(new):
    with new as v:
        found(started(v), "echo x > f; ln -s f l; ln -s /nowhere dangling; mkfifo pipe", "ln -sfn / l; ln f hard", "rm f l", "rm dangling")
        expect(set(v.records()), {"hard"}, "records at last")
        found(v, "mv hard file; mkdir d; echo x > d/f", "rm file; mkfifo file", "rm -r d; mkfifo d")
        expect(v.records(), {}, "of names that are FIFOs now")


@both("directories: deep at once, filled while they are new, renamed with all they hold, chmod, removed")
def _(new):
    with new as v:
        found(started(v), "for i in 1 2 3 4 5 6 7 8; do mkdir -p d$i/a/b/c/d/e/f; echo $i > d$i/a/b/c/d/e/f/g; done",
              "mv d1 moved; echo behind > moved/a/b/c/d/e/f/new", "mv d2 x; mkdir d2; echo other > d2/f; mv x y; mkdir -p x/z",
              "mv d3/a d4/a2; mv d4 d3/; mv d3 d4", "chmod 700 d5; mkdir d5/n", "rm -r d6 d7; mkdir d6; echo file > d7", "rm -r *")
        expect(v.records(), {}, "records at last")


@both("a directory that leaves the tree and one that comes in; what happens outside is none of it")
def _(new):
    with new as v:
        found(started(v), "mkdir -p d/e; echo 1 > d/e/f", "mv d ../out; echo 2 > ../out/e/g", "echo 3 > ../out/e/h; mv ../out back",
              "echo 4 > back/e/i", "mv back ../out; mkdir back; echo 5 > back/f; rm -r ../out")


@both("two directories exchanged: each keeps its own")
def _(new):
    with new as v:
        found(started(v), "mkdir -p a/in b/in; echo 1 > a/one; echo 2 > b/two",
              "python3 -c \"import ctypes; exit(ctypes.CDLL(None).renameat2(-100, b'a', -100, b'b', 2))\"",
              "echo 3 > a/in/three; echo 4 > b/in/four", "rm -r a")


@case("a static program")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        program = compiled.program(compiled.STATIC, os.path.join(v.base, "static"), "-static")
        started(v)
        done = v.run([program, v.tree])  # the library is preloaded, and nobody loads it
        expect(done.returncode, 0, "its exit status")
        agrees(v, "the program")
        expect(set(v.records()), {"plain", "there", "d", "d/e", "d/l", "d/hard", "d/e/empty"}, "records")


@case("a writer killed in the middle")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        started(v)
        writer = process.start(["/bin/bash", "-c", "exec 3> $WBSHIM_PREFIX/f; echo part >&3; read x"], env=v.program_env(), stdin=process.subprocess.PIPE)
        wait.until(lambda: os.path.exists(v.tree + "/f") and os.path.getsize(v.tree + "/f") == 5, 60, "the writer")
        writer.kill()
        writer.wait()
        writer.stdin.close()
        agrees(v, "SIGKILL")
        expect((v.records()["f"]["size"], scans(v)), (5, 1 + v.handovers()), "size, scans")


@case("records that no directory's record leads to, as a death between them leaves them: found by the scan, their objects go")
def _():
    with volume.Volume(UPLOAD_DELAY="100ms") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir -p d/e g/h; echo x > d/e/f; echo y > g/h/i; echo z > stays")
        objects = [os.path.join(v.staging, "store", name) for name in ("d/e/f", "g/h/i", "stays")]
        wait.until(lambda: all(os.path.exists(name) for name in objects), 60, "the objects")
        v.ctl_ok("flush")
        v.kill_uploader()
        bare(v, "rm -r d g; echo now a file > g")
        with v.redis() as redis:
            redis("HDEL", v.key("dir:"), "d", "g")
            redis("HDEL", v.key("dir:d"), "e")
        v.ctl_ok("flush")
        expect([os.path.exists(name) for name in objects], [False, False, True], "the objects")
        expect(sorted(v.records()), ["g", "stays"], "records")


@both("a mapping that outlives its descriptor: recorded when it ends, not before")
def _(new):
    with new as v:
        started(v)
        script = ("import mmap, os, sys; f = os.open('f', os.O_RDWR | os.O_CREAT, 0o644); os.ftruncate(f, 8192)\n"
                  "m = mmap.mmap(f, 8192); os.close(f); m[0:4] = b'mine'; print('ready', flush=True); sys.stdin.read(1); m[0:4] = b'last'; m.close()")
        writer = process.start([sys.executable, "-c", script], cwd=v.tree, stdin=process.subprocess.PIPE,
                               stdout=process.subprocess.PIPE)
        expect(writer.stdout.readline(), b"ready\n", "the writer")
        bare(v, "echo later > g")
        wait.promised(lambda: "g" in v.records(), WITHIN, "what came after it")
        expect("f" in v.records(), False, "a record while it is mapped")
        writer.stdin.write(b"x")
        writer.stdin.close()
        expect(writer.wait(), 0, "the writer's end")
        writer.stdout.close()
        agrees(v, "the end of the mapping")
        expect(scans(v), 1 + v.handovers(), "scans")


WORK = r"""cd $WBSHIM_PREFIX; mkdir -p a/b/c e; for i in $(seq 150); do echo $i > a/f$i; echo $i > a/b/c/g$i; done
for i in $(seq 50); do echo again >> a/f$i; /bin/mv a/f$i e/h$i; done; /bin/ln -s a l; /bin/chmod 600 a/f60 e; /bin/mv a/b moved; /bin/rm -r e"""


@case("what the library published is not published again")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start_redis()
        v.sh(WORK)
        expect(v.journal(), [], "lines in the journal")
        wanted = evalshas(v)
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        started(v)
        v.sh(WORK)
        agrees(v, "the work")
        bare(v, "echo seen > last")  # everything before has been looked at when this is recorded
        agrees(v, "the last")
        wait.until(lambda: stats(v).get("wbshim_watch_found_total", 0) >= 1, 60, "the statistics")
        # Each name at least once; fanotify joins what comes close together.
        expect(stats(v)["wbshim_watch_events_total"] > 350, True, f"the kernel told of it: {stats(v)['wbshim_watch_events_total']}")
        # Of 700 changes none is told twice, but for those where the library itself was slower than the watch waits.
        further = evalshas(v) - wanted
        if further != 1:
            print(f"    slow: {further - 1} of the changes were published by the watch")
        expect(1 <= further <= 70, True, f"{further} further publishes; one is of 'last'")


@case("what was uploaded before the watch looked is not uploaded again; what the watch finds is uploaded once")
def _():
    with volume.Volume(UPLOAD_DELAY="0s") as v:
        started(v)
        v.sh("cd $WBSHIM_PREFIX; mkdir d; for i in $(seq 50); do echo $i > d/f$i; done")
        bare(v, "mkdir e; for i in 1 2 3 4 5; do echo $i > e/g$i; done; echo seen > last")
        agrees(v, "the last")
        wait.until(lambda: not v.due() and stats(v).get("wbshim_uploads_total", 0) >= 56, 60, "the uploads")
        expect({r["state"] for p, r in v.records().items() if p not in "de"}, {"uploaded"}, "states")
        # The empty directories may have had objects for a moment.
        expect(56 <= stats(v)["wbshim_uploads_total"] <= 58, True, f"uploads: {stats(v)['wbshim_uploads_total']}")


@case("a directory renamed under the library: its publishes are enough")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        started(v)
        v.sh("cd $WBSHIM_PREFIX; mkdir -p d/e; for i in $(seq 100); do echo $i > d/e/f$i; done; mv d moved; mv moved/e d")
        agrees(v, "the work")
        bare(v, "echo seen > last")
        agrees(v, "the last")
        wait.until(lambda: stats(v).get("wbshim_watch_found_total", 0) >= 1, 60, "the statistics")
        expect(stats(v)["wbshim_watch_found_total"], 1, "found by the watch; the one is 'last'")


@case("Redis away: nothing is lost, found when it is back")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        started(v)
        redis = v.redis_pid()
        os.kill(redis, signal.SIGSTOP)
        try:
            bare(v, "mkdir d; echo 1 > d/f; mv d e")
        finally:
            os.kill(redis, signal.SIGCONT)
        agrees(v, "Redis is back", 15)


@both("the kernel's queue runs over: the scan finds all, and new directories are watched again")
def _(new):
    with new as v:
        started(v)
        with open(f"/proc/sys/fs/{watch(v)['by']}/max_queued_events", encoding="ascii") as file:
            rounds = int(file.read()) // 40
        pid = v.uploader_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            done = process.run([sys.executable, "-c", "import os, sys\nfor d in range(45):\n os.mkdir(f'd{d}')\n for i in range(int(sys.argv[1])): "
                                "os.close(os.open(f'd{d}/f{i}', os.O_CREAT | os.O_WRONLY)) or os.close(os.open(f'g{i}', os.O_CREAT | os.O_WRONLY))",
                                str(rounds)], 60, cwd=v.tree)
            expect((done.returncode, done.stderr), (0, b""), "the writer")
        finally:
            os.kill(pid, signal.SIGCONT)
        agrees(v, "the overflow", 30)
        wait.until(lambda: stats(v).get("wbshim_watch_losses_total", 0) >= 1, 60, "the statistics")
        wait.until(lambda: scans(v) == 2, 60, "the scan")
        bare(v, "echo new > d44/new; mkdir d44/n; echo new > d44/n/f")
        agrees(v, "a change in a directory that came in between")
        expect(scans(v), 2, "scans")


@case("too few watches: one line in the log, the scan finds the rest, nothing fails")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        preload = compiled.few_watches(os.path.join(v.base, "few.so"))
        v.start_redis()
        foreground(v, preload, "5")
        bare(v, "for i in 1 2 3 4 5 6 7 8 9; do mkdir d$i; done")
        agrees(v, "new directories", 10)
        bare(v, "echo 1 > f; mkdir n")
        agrees(v, "a change in what is watched")
        expect(v.log().count("max_user_watches"), 1, f"lines in {v.log()}")
        wait.until(lambda: scans(v) == 2, 60, "the scan")


@case("no inotify at all: one line in the log, the library's publishes and uploads go on")
def _():
    with volume.Volume(UPLOAD_DELAY="0s") as v:
        preload = compiled.few_watches(os.path.join(v.base, "few.so"))
        v.start_redis()
        foreground(v, preload, "none")
        v.sh("echo 1 > $WBSHIM_PREFIX/f")
        wait.until(lambda: v.records()["f"]["state"] == "uploaded", 60, "the upload")
        expect(v.log().count("no inotify"), 1, f"lines in {v.log()}")


@case("no right to fanotify: inotify, named with the reason in status and log; with it, or forced, just named")
def _():
    for capability, reason in (("sys_admin", "fanotify_"), ("dac_read_search", "its events do not lead to the tree")):
        with volume.Volume(UPLOAD_DELAY="1h") as v:
            v.start_redis()
            uploader(v, "setpriv", f"--bounding-set=-{capability}")
            expect((watch(v)["by"], reason in watch(v)["reason"]), ("inotify", True), f"without {capability}: {watch(v)}")
            expect_in(f"changes come by inotify (no fanotify: {watch(v)['reason']})", v.log(), "the log")
            bare(v, "mkdir d; echo 1 > d/f")
            agrees(v, "a change")
    with volume.Volume(UPLOAD_DELAY="1h", WATCH_BY="inotify") as v:
        expect(watch(started(v)), {"by": "inotify"}, "status")
        expect_in("changes come by inotify\n", v.log(), "the log")
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        expect_in(f"changes come by {watch(started(v))['by']}", v.log(), "the log")


cases.main()
