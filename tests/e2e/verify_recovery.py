#!/usr/bin/env python3
"""What Redis or the staging directory has lost comes back by start and verify --repair: records match tree and store, nothing is uploaded
twice needlessly, nothing is deleted. On file:// and on radosgw."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import both_stores, cases, s3, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402

server = s3.Server("radosgw")
SET_UP = "cd $WBSHIM_PREFIX; mkdir -p d/e empty; for i in 1 2 3; do echo $i > f$i; done; echo b > d/e/b; ln -s e/b d/l; chmod 640 f1; touch -d @1000000000 f2"
PATHS = ["d", "d/e", "d/e/b", "d/l", "empty", "f1", "f2", "f3"]


def on_each(name, **options):
    """The case for each kind of store, with a Redis that can be killed."""
    def add(function):
        def run(make):
            with make(**dict({"UPLOAD_DELAY": "1h"}, **options)) as v:
                v.start_redis()
                function(v)
        cases.add("file: " + name, lambda: run(both_stores.OnFiles), 180)
        cases.add("radosgw: " + name, lambda: run(lambda **o: both_stores.OnRadosgw(server, **o)), 180)
        return function
    return add


def verify(v, *args, status=0):
    """(counts that are not 0, {kind: paths}) of a run."""
    done = v.ctl("verify", "--json", *args)
    document = json.loads(done.stdout)
    expect((done.returncode, done.stderr), (status, b""), f"exit status; {document}; log:\n{v.log()}")
    found = {}
    for finding in document["findings"]:
        found.setdefault(finding["kind"], []).append(finding["path"])
    return {kind: n for kind, n in document["counts"].items() if n}, {kind: sorted(paths) for kind, paths in found.items()}


def states(v):
    return {path: record["state"] for path, record in v.records().items()}


def flushed(v):
    v.start()
    v.sh(SET_UP)
    v.ctl_ok("flush")
    expect(set(v.objects()) - {"f1", "f2", "f3", "d/e/b", "d/l"}, set(), "objects")


def untouched(v, objects):
    """The store's objects are these, and the uploader that runs has sent nothing."""
    expect(both_stores.transfers(v), (0, 0), "PUTs and DELETEs since the start")
    expect(v.objects(), objects, "objects")


def end_uploader(v):
    """So that its counts begin anew."""
    if v.uploader_pid():
        v.kill_uploader()


@case("radosgw starts")
def _():
    server.__enter__()


@on_each("Redis emptied while the uploader runs")
def _(v):
    flushed(v)
    v.sh("cd $WBSHIM_PREFIX; echo new > f3; echo pending > f4")
    end_uploader(v)
    v.start()
    objects = v.objects()
    with v.redis() as redis:
        redis("FLUSHALL")
    counts, found = verify(v, "--repair")
    expect((counts["already_stored"], counts.get("pending"), found), (len(PATHS) - 1, 2, {}), "counts")
    wait.until(lambda: not v.disagreements(), what="records like the tree")
    expect({path for path, state in states(v).items() if state == "staged"}, {"f3", "f4"}, "what waits")
    expect(sorted(v.due()), ["f3", "f4"], "the queue")
    untouched(v, objects)
    v.ctl_ok("flush")
    expect(both_stores.transfers(v), (2, 0), "PUTs and DELETEs after a flush")
    expect(verify(v, "--deep"), ({"ok": len(PATHS) + 1}, {}), "in the end")


@on_each("Redis emptied and started anew, with nothing running meanwhile; a deleted file's object is named, never deleted")
def _(v):
    flushed(v)
    end_uploader(v)
    v.sh("rm $WBSHIM_PREFIX/f3")  # its deletion is queued, and forgotten
    objects = v.objects()
    both_stores.restart_redis(v, snapshot=False)
    v.start()
    for _ in range(2):
        counts, found = verify(v, "--repair", status=1)
        expect(found, {"stray_object": ["f3"]}, "findings")
    expect(states(v), {path: "uploaded" for path in PATHS if path != "f3"}, "records")
    expect(v.disagreements(), [], "records against the tree")
    untouched(v, objects)
    verify(v, "--repair", "--restore-strays")
    expect((v.ctl_ok("cat", "f3"), states(v)["f3"]), ("3\n", "uploaded"), "the stray, recorded again")
    expect(verify(v)[0], {"ok": len(PATHS) - 1, "store_only": 1}, "in the end")
    untouched(v, objects)


@on_each("Redis restored from an old snapshot: rewritten, new, deleted and pending files")
def _(v):
    flushed(v)
    v.sh("echo queued > $WBSHIM_PREFIX/f5")
    with v.redis() as redis:
        redis("SAVE")
    v.sh("cd $WBSHIM_PREFIX; echo two > f2; echo new > f4; rm f3; chmod 600 f1; mv d/e/b d/e/c")
    v.ctl_ok("flush")
    v.sh("cd $WBSHIM_PREFIX; echo pending > f6")
    objects = v.objects()
    end_uploader(v)
    both_stores.restart_redis(v)
    v.start()
    counts, found = verify(v, "--repair")
    expect(found, {}, f"findings; {counts}")
    expect({path for path, state in states(v).items() if state == "staged"}, {"f6"}, "what waits")
    expect(v.disagreements(), [], "records against the tree")
    expect(v.objects(), objects, "objects")
    expect(both_stores.transfers(v)[0], 0, "PUTs since the start")
    v.ctl_ok("flush")
    expect(v.objects(), dict(objects, f6=b"pending\n"), "objects after a flush")
    expect(set(verify(v, "--deep")[0]), {"ok"}, "in the end")
    if v.kind == "radosgw":
        expect([v.puts(path) for path in ("f1", "f2", "f4", "f5", "f6", "d/e/c")], [2, 2, 1, 1, 1, 1], "PUTs in all")
        expect([v.deletes(path) for path in ("f1", "f2", "f4", "f5")], [0, 0, 0, 0], "DELETEs of what is there")


def stale_deletions(v, names):
    """A Redis of before these were made anew, in which their deletions are long due. Nothing runs. Returns the store's objects."""
    v.start()
    v.ctl_ok("flush")
    end_uploader(v)
    v.sh("cd $WBSHIM_PREFIX; rm " + " ".join(names))
    with v.redis() as redis:
        for name in names:
            expect(redis("ZADD", v.key("del"), 1, name), 0, "was queued for deletion")
        redis("SAVE")
    v.sh("cd $WBSHIM_PREFIX; for f in " + " ".join(names) + "; do echo again > $f; done")
    v.start()
    v.ctl_ok("flush")
    objects = v.objects()
    expect({objects[name] for name in names}, {b"again\n"}, "made anew")
    end_uploader(v)
    both_stores.restart_redis(v)
    return objects


@on_each("an old snapshot whose deletion queue names what was made anew: nothing is deleted")
def _(v):
    v.sh(SET_UP + "; mkdir m; cd m; for i in $(seq 1500); do echo $i > $i; done")
    objects = stale_deletions(v, ["f3", "m/1", "m/700", "m/1500", "d/e/b"])
    v.start()
    verify(v, "--repair")
    untouched(v, objects)
    expect((states(v)["f3"], v.disagreements()), ("uploaded", []), "records")


@on_each("the same, and the tree is lost: the only copy stays, and gets its record again")
def _(v):
    v.sh(SET_UP)
    objects = stale_deletions(v, ["f3", "d/e/b"])
    v.forget_tree()
    v.start()
    wait.until(lambda: v.log().count("not deleted from the store") == 2, what="the deletions to be dropped")
    counts, found = verify(v, "--repair")
    expect(found, {"lost_record": ["d/e/b", "f3"]}, f"findings; {counts}")
    expect(v.ctl_ok("cat", "f3"), "again\n", "the file from the store")
    untouched(v, objects)


@on_each("the tree lost: what was stored is there, what was not is named and marked, nothing is deleted")
def _(v):
    flushed(v)
    v.sh("cd $WBSHIM_PREFIX; echo new > f3; echo pending > f4")
    end_uploader(v)
    objects = v.objects()
    v.forget_tree()
    v.start()
    counts, found = verify(v, "--repair", status=1)
    expect(found, {"lost": ["f3", "f4"]}, f"findings; {counts}")
    expect_in("lost: /proc/wb/f3: it was not stored", v.ctl("verify").stdout.decode() + v.ctl("verify", "--repair").stdout.decode().replace(
        "its last version was never stored", "it was not stored"), "the line")
    expect(states(v), dict({path: "uploaded" for path in PATHS}, f3="failed", f4="failed"), "records")
    expect(v.due(), {}, "the queue")
    done = v.ctl("flush")
    expect(done.returncode, 1, "flush: it names what is lost")
    for path in ("f3", "f4"):
        expect_in(f"/proc/wb/{path} (lost)", done.stderr.decode(), "its lines")
    untouched(v, objects)
    expect(v.ctl_ok("cat", "f1"), "1\n", "a file from the store")
    v.sh("cd $WBSHIM_PREFIX; echo anew > f3; echo x > f4; rm f4")
    v.ctl_ok("flush")
    expect(v.objects(), dict(objects, f3=b"anew\n"), "objects")
    counts, found = verify(v)
    expect((counts, found), ({"ok": 1, "store_only": len(PATHS) - 1}, {}), "in the end")


@on_each("tree and Redis lost: records come back from the store, with their attributes")
def _(v):
    flushed(v)
    with v.redis() as redis:
        before = {path: record for path, record in v.records().items()}
        high = int(redis("HGET", v.key("meta"), "gen"))
    end_uploader(v)
    objects = v.objects()
    v.forget_tree()
    both_stores.restart_redis(v, snapshot=False)
    v.start()
    counts, found = verify(v, "--repair")
    expect(found["lost_record"], sorted([*objects, "empty/"]), f"findings; {counts}")
    after = v.records()
    expect(sorted(after), sorted(before), "records")
    for path, record in after.items():
        for field in ("t", "state", "uid", "gid") + (("size", "mtime_ns", "mode", "gen", "etag", "target") if record["t"] != "d" else ()):
            if field in ("mode", "gen") and record["t"] == "l":
                continue
            expect(record.get(field), before[path].get(field), f"{field} of {path}")
    with v.redis() as redis:
        expect(int(redis("HGET", v.key("meta"), "gen")) >= high, True, "the counter")
    untouched(v, objects)
    expect(v.ctl_ok("cat", "d/e/b", "f2"), "b\n2\n", "files from the store")
    expect_in("l", v.ctl_ok("ls", "-l", "d"), "a listing")
    v.start()
    wait.until(lambda: v.ctl_json("status")["ok"], what="status")
    v.kill_uploader()
    v.start()  # another scan: what is in the store only is no deletion
    expect(verify(v), ({"store_only": len(PATHS)}, {}), "in the end")
    v.ctl_ok("flush")
    untouched(v, objects)


@on_each("no generation is handed out twice, whatever was lost")
def _(v):
    flushed(v)
    future = both_stores.now_us() + 10**13
    with v.redis() as redis:
        redis("HSET", v.key("meta"), "gen", future)
    v.sh("echo ahead > $WBSHIM_PREFIX/f1")
    v.ctl_ok("flush")
    expect(v.records()["f1"]["gen"] > future, True, "a generation of the future")
    highest = v.records()["f1"]["gen"]
    with v.redis() as redis:
        redis("FLUSHALL")
    v.sh("echo later > $WBSHIM_PREFIX/f2")
    expect(v.records()["f2"]["gen"] > highest, True, "after FLUSHALL, by what this client has seen")
    verify(v, "--repair")
    # The client's own memory is gone, too: the objects still know.
    end_uploader(v)
    os.remove(os.path.join(v.staging, "run", "shared"))
    both_stores.restart_redis(v, snapshot=False)
    v.start()
    verify(v, "--repair")
    expect(v.records()["f1"]["state"], "uploaded", "f1")
    v.sh("echo last > $WBSHIM_PREFIX/f1")
    expect(v.records()["f1"]["gen"] > highest, True, f"after all was lost: {v.records()['f1']['gen']} and {highest}")
    v.ctl_ok("flush")
    expect(set(verify(v)[0]), {"ok"}, "in the end")


@case("radosgw stops")
def _():
    server.__exit__()


cases.main()
