#!/usr/bin/env python3
"""shim-ctl verify: tree, Redis and store side by side, on file:// and on radosgw."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import both_stores, build, cases, process, s3, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in, expect_one_line  # noqa: E402

server = s3.Server("radosgw")
SET_UP = "cd $WBSHIM_PREFIX; mkdir -p d/e/f empty; echo 1 > a; echo 22 > d/b; ln -s b d/l; echo 333 > d/e/f/c; chmod 600 a"
ENTRIES = 8  # of these


def on_each(name, **options):
    """The case for each kind of store, in a volume with a long delay."""
    def add(function):
        def run(make):
            with make(**dict({"UPLOAD_DELAY": "1h"}, **options)) as v:
                function(v)
        cases.add("file: " + name, lambda: run(both_stores.OnFiles))
        cases.add("radosgw: " + name, lambda: run(lambda **o: both_stores.OnRadosgw(server, **o)))
        return function
    return add


def verify(v, *args, status=0):
    """(counts that are not 0, {kind: paths}) of a run."""
    done = v.ctl("verify", "--json", *args)
    document = json.loads(done.stdout)
    expect((done.returncode, document["ok"], done.stderr), (status, status == 0, b""), f"exit status; {document}")
    found = {}
    for finding in document["findings"]:
        found.setdefault(finding["kind"], []).append(finding["path"])
    return {kind: n for kind, n in document["counts"].items() if n}, {kind: sorted(paths) for kind, paths in found.items()}


def flushed(v):
    v.start()
    v.sh(SET_UP)
    v.ctl_ok("flush")


@case("radosgw starts")
def _():
    server.__enter__()


@on_each("pending, then all is well; below a PATH; nothing there")
def _(v):
    v.start()
    v.sh(SET_UP)
    expect(verify(v), ({"pending": ENTRIES}, {}), "before the flush")
    v.ctl_ok("flush")
    for how in ((), ("--quick",), ("--deep",)):
        expect(verify(v, *how), ({"ok": ENTRIES}, {}), f"after it, {how}")
    expect(v.ctl_ok("verify"), f"{ENTRIES} ok\n", "for people")
    expect(verify(v, "d/e")[0], {"ok": 3}, "below a directory, with itself")
    expect(verify(v, "a", "d/l", "empty")[0], {"ok": 3}, "files, links and directories by name")
    expect_one_line(v.ctl("verify", "none"), 1, "'/proc/wb/none'")
    expect_one_line(v.ctl("verify", "/etc"), 2, "not under the prefix")
    for flags in (("--deep", "--quick"), ("--delete-strays",), ("--repair", "--delete-strays", "--restore-strays")):
        expect_one_line(v.ctl("verify", *flags), 2, "verify: ")


@on_each("names of every kind")
def _(v):
    v.start()
    names = [b"a b", b"%41", b"100%", b"new\nline", b"\xff\xfe", b"a+b", b"q'\"&<>", "\u65e5\u2028".encode(), b"x" * 255]
    os.makedirs(v.tree, exist_ok=True)
    v.run(["/usr/bin/python3", "-c", "import os, sys\nfor n in sys.argv[1:]:\n    p = os.fsencode(os.environ['WBSHIM_PREFIX']) + b'/'\n"
           "    n = os.fsencode(n)\n    os.mkdir(p + b'd' + n[:200])\n    for q in (n, b'd' + n[:200] + b'/' + n):\n        open(p + q, 'wb').write(n)",
           *names])
    v.ctl_ok("flush")
    wait.until(lambda: verify(v, "--deep") == ({"ok": 3 * len(names)}, {}), what="all to be well")
    v.remove_object("a b")
    expect(verify(v, status=1)[1], {"missing_object": ["a b"]}, "one of them")


@on_each("missing, different, foreign and stray objects; what repair does about each")
def _(v):
    flushed(v)
    v.remove_object("d/b")
    v.spoil("a", b"other")
    v.spoil("d/e/foreign", b"x")
    v.sh("echo gone > $WBSHIM_PREFIX/d/stray")
    v.ctl_ok("flush")
    with v.redis() as redis:
        v.sh("rm $WBSHIM_PREFIX/d/stray")  # and Redis forgets that its object is to go
        redis("DEL", v.key("del"))
        redis("HDEL", v.key("dir:d"), "stray")
    wrong = {"missing_object": ["d/b"], "different_object": ["a"], "foreign_object": ["d/e/foreign"], "stray_object": ["d/stray"]}
    expect(verify(v, status=1)[1], wrong, "findings")
    lines = v.ctl("verify").stdout.decode().splitlines()
    expect(len(lines), 5, "lines for people: one each, and the summary")
    expect_in("missing object: /proc/wb/d/b: ", "\n".join(lines), "a line")
    expect(verify(v, "d/b", status=1)[1], {"missing_object": ["d/b"]}, "one path")
    before = both_stores.transfers(v)
    expect(verify(v, "--repair", status=1)[1], wrong, "findings of a repair: two are only named")
    wait.until(lambda: verify(v, status=1)[1] == {"foreign_object": ["d/e/foreign"], "stray_object": ["d/stray"]}, what="the mended to be stored")
    expect(both_stores.transfers(v), (before[0] + 2, before[1]), "PUTs and DELETEs")
    verify(v, "--repair", "--delete-strays", status=1)
    v.ctl_ok("flush")
    expect(verify(v, status=1)[1], {"foreign_object": ["d/e/foreign"]}, "without the stray")
    expect("d/stray" in v.objects(), False, "the stray")
    expect(v.objects()["a"], b"1\n", "the mended object")


@on_each("records that disagree with the tree: no record, a stale one, in no queue, damaged")
def _(v):
    flushed(v)
    v.ctl_ok("stop")
    v.start_redis()  # the private one is gone with its uploader; this one knows nothing
    counts, _ = verify(v, status=1)
    expect(counts["unrecorded_file"], ENTRIES, "without any record")
    expect(v.ctl("verify", "--quick").returncode, 1, "exit status")
    verify(v, "--repair")
    expect(verify(v), ({"ok": ENTRIES}, {}), "after the repair")
    v.ctl_ok("stop")
    with open(os.path.join(v.tree, "a"), "w", encoding="ascii") as f:
        f.write("changed without the library")
    with v.redis() as redis:
        redis("HSET", v.key("dir:d"), "b", "{no record")
    expect(verify(v, status=1)[1], {"unrecorded_file": ["a"], "damaged_record": ["d/b"]}, "stale, damaged")
    verify(v, "--repair")
    with v.redis() as redis:
        for key in redis.keys(v.key("due:*")):
            redis("DEL", key)
    expect(verify(v, status=1)[1], {"not_queued": ["a", "d/b"]}, "in no queue")
    verify(v, "--repair")
    wait.until(lambda: verify(v) == ({"ok": ENTRIES}, {}), what="it to be stored")


@on_each("only --deep sees bytes that no ETag tells of", UPLOAD_DELAY="0s")
def _(v):
    if v.kind != "file":
        return  # its ETag is the server's own
    flushed(v)
    path = os.path.join(v.store, "d/b")
    status = os.stat(path)
    with open(path, "r+b") as f:
        f.write(b"99")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    expect(verify(v), ({"ok": ENTRIES}, {}), "by ETag, size and generation")
    expect(verify(v, "--deep", status=1)[1], {"different_object": ["d/b"]}, "by its bytes")


@on_each("what is under way is no disagreement: open files, busy writers, a running uploader", UPLOAD_DELAY="0s")
def _(v):
    v.start()
    script = ("import os, sys, time\np = os.environ['WBSHIM_PREFIX']\nheld = open(p + '/held', 'w')\nprint('go', flush=True)\n"
              "i = 0\nwhile not os.path.exists(sys.argv[1]):\n    i += 1\n    d = f'{p}/d{i % 7}'\n    os.makedirs(d, exist_ok=True)\n"
              "    open(f'{d}/f{i % 50}', 'w').write('x' * (i % 999))\n    if i % 3 == 0:\n        os.rename(f'{d}/f{i % 50}', f'{d}/r{i % 50}')\n"
              "    if i % 5 == 0 and os.path.exists(f'{d}/r{i % 49}'):\n        os.remove(f'{d}/r{i % 49}')\n    time.sleep(0.001)\n")
    stop = os.path.join(v.base, "stop")
    child = process.start(["/usr/bin/python3", "-c", script, stop], env=v.program_env(), stdout=process.subprocess.PIPE)
    try:
        child.stdout.readline()
        for how in ((), ("--quick",), ("--deep",), ()):
            verify(v, *how)
    finally:
        with open(stop, "w", encoding="ascii"):
            pass
        child.wait(60)
        child.stdout.close()
    v.ctl_ok("flush")
    expect(set(verify(v)[0]), {"ok"}, "in the end")


@on_each("quarantined files are named; a dead letter too")
def _(v):
    flushed(v)
    os.makedirs(os.path.join(v.staging, "quarantine", "d"), mode=0o700)
    with open(os.path.join(v.staging, "quarantine", "d", "x"), "w", encoding="ascii"):
        pass
    v.sh("echo new > $WBSHIM_PREFIX/a")
    with v.redis() as redis:
        client = redis("HGET", v.key("meta"), "client").decode()
        redis("HSET", v.key("dead:" + client), "a", json.dumps({"class": "AccessDenied", "message": "no", "attempts": 3, "time": 1}))
    expect(verify(v, status=1)[1], {"quarantined": ["d/x"], "dead_letter": ["a"]}, "findings")


@case("Redis away, the store away, a staging directory that nobody has used: one line each, never 'all is well'")
def _():
    with volume.Volume() as v:
        expect_one_line(v.ctl("verify"), 1, "nobody has used", "staging")
        v.start_redis()
        v.sh("echo 1 > $WBSHIM_PREFIX/a")
        v.kill_redis()
        expect_one_line(v.ctl("verify"), 1, "WBSHIM_REDIS_URL")
    with both_stores.OnRadosgw(server) as v:
        flushed(v)
        for name, value in (("AWS_SECRET_ACCESS_KEY", "wrong"), ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")):
            done = v.ctl("verify", "--json", env={name: value})
            expect((done.returncode, json.loads(done.stdout)["complete"]), (1, False), f"with a wrong {name}")
            expect_one_line(done, 1, "verify: s3://")


@on_each("many disagreements: bounded on a terminal, all of them in --json")
def _(v):
    v.start()
    v.sh("cd $WBSHIM_PREFIX; mkdir d; for i in $(seq 130); do echo $i > d/f$i; done")
    v.ctl_ok("flush")
    v.ctl_ok("stop")
    v.start_redis()
    expect(len(verify(v, status=1)[1]["unrecorded_file"]), 131, "in the document")
    expect(len(v.ctl("verify").stdout.splitlines()), 132, "lines into a pipe")
    master, slave = os.openpty()
    text = []
    reader = threading.Thread(target=lambda: text.append(read_all(master)))
    reader.start()
    child = process.start([build.SHIM_CTL, "verify"], env=v.tool_env(), stdout=slave)
    os.close(slave)
    child.wait(60)
    reader.join(60)
    lines = text[0].decode().splitlines()
    expect((len(lines), lines[100]), (102, "and 31 more: `shim-ctl verify --json`"), "lines on a terminal")


def read_all(fd):
    found = b""
    try:
        while part := os.read(fd, 65536):
            found += part
    except OSError:
        pass  # the other side is closed
    os.close(fd)
    return found


@case("radosgw stops")
def _():
    server.__exit__()


cases.main()
