#!/usr/bin/env python3
"""What comes after close(), each row beside another tool's number of the same run, or its limit (DESIGN, budgets): draining small
files into radosgw, the uploader's and Redis' memory, the same program on FUSE mounts.

Variants run in turns, each drain into a fresh server, medians of rounds; files on tmpfs. Times never decide about passing: a row
fails only when objects, records or queue do not hold what they must. WBSHIM_BENCH_ROUNDS: 3. WBSHIM_BENCH_FILES: 10000, for a
quick try fewer.
"""
import contextlib
import os
import signal
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
from lib import process, s3, s3_proxy, volume, wait  # noqa: E402
import drain_tools  # noqa: E402
import mounts  # noqa: E402
import table  # noqa: E402
import watched  # noqa: E402
from drivers import driver, numbers  # noqa: E402

ROUNDS = int(os.environ.get("WBSHIM_BENCH_ROUNDS", "3"))
FILES = max(100, int(os.environ.get("WBSHIM_BENCH_FILES", "10000")) // 100 * 100)
BEST = ("--s3-no-head", "--s3-no-check-bucket", "--no-check-dest", "--transfers", "64")  # the quickest number of 16, 32 and 64
TOOLS = {
    "rclone copy --transfers 32": drain_tools.rclone("--transfers", "32"),
    "rclone copy, its best flags": drain_tools.rclone(*BEST),
    "bare curl_multi loop": drain_tools.curl_multi(),
    "wbshim": drain_tools.wbshim,
}
LEAST = dict(zip(TOOLS, (1.5, 1.1, 0.85)))


def drains(rows):
    """{tool: what each of its drains took}, also as a table."""
    found, names = {name: [] for name in TOOLS}, list(TOOLS)
    for number in range(ROUNDS):
        for name in names[number % len(names):] + names[:number % len(names)]:
            with s3.Server("radosgw") as server:
                server.client.create_bucket(Bucket=drain_tools.BUCKET)
                found[name].append(TOOLS[name](server, FILES))
    rows.note(f"draining {FILES} files of 4 KiB into radosgw, {ROUNDS} rounds; best flags: {' '.join(BEST)}")
    rows.note(f"wbshim's CPU: {found['wbshim'][-1].note}")
    for name, several in found.items():
        taken = [each.taken for each in several]
        rows.row(name, f"{rate(several):.0f}", f"{statistics.median(t.cpu for t in taken):.2f}",
                 f"{max(t.peak for t in taken) / 1024:.0f} MiB", f"{max(each.requests for each in several) / FILES:.4f}",
                 str(max(t.connections for t in taken)), ", ".join(str(each.objects) for each in several))
    return found


def rate(several):
    """Files a second, the middle one."""
    return FILES / statistics.median(each.taken.seconds for each in several)


def draining(found, rows):
    ours = found["wbshim"]
    stored = {name: [(each.objects, FILES) for each in several] for name, several in found.items()}
    for name, least in LEAST.items():
        theirs = found[name]
        rows.times(f"draining, files/s; {name}", f"{rate(theirs):.0f}", f"{rate(ours):.0f}", rate(ours) / rate(theirs), least,
                   *stored[name], *stored["wbshim"])
    rows.most("requests that the server saw, one a file", max(each.requests for each in ours), FILES, "", *stored["wbshim"])
    rows.most("connections at once", max(each.taken.connections for each in ours), drain_tools.CONNECTIONS + 2, "", *stored["wbshim"])
    rows.most("Redis memory an uploaded file", statistics.median(each.redis_bytes for each in ours) / FILES, 400, " bytes",
              *((each.uploaded, FILES) for each in ours))


def queue(rows):
    """The uploader's memory while ten times as many files wait, for their time or for a store that is away."""
    many = 10 * FILES
    with s3_proxy.S3Proxy() as store, volume.Volume(STORE_URL="s3://nowhere/p", UPLOAD_DELAY="1h", LOG="warn") as v:
        v.extra = {"AWS_ENDPOINT_URL_S3": store.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        v.start()  # it asks the store once
        store.down()
        drain_tools.stage(v, many)
        for state, args in (("queued", ["status"]), ("due, the store away", ["flush", "--timeout", "3s"])):
            v.ctl(*args)
            peak = watched.memory(v.uploader_pid(), "VmHWM") / 1024
            rows.most(f"uploader's peak memory, {many} entries {state}", peak, 64, " MiB",
                      (settled(lambda: drain_tools.queued(v), many), many))


def small_files(rows):
    """create + write 4 KiB + close on a mount of a bucket, and under the prefix, in turns."""
    many = FILES // 20
    for kind in mounts.KINDS:
        what = f"create + write 4 KiB + close; {kind}"
        try:
            with s3.Server("radosgw") as server:
                server.client.create_bucket(Bucket=drain_tools.BUCKET)
                with mounts.mounted(kind, server, drain_tools.BUCKET) as theirs, \
                        volume.Volume(STORE_URL=f"s3://{drain_tools.BUCKET}-2/p", UPLOAD_DELAY="1h", LOG="warn") as v:
                    v.extra = server.env()
                    beside(what, server, theirs, v, many, rows)
        except mounts.NoMount as why:
            rows.absent(what, str(why))


def beside(what, server, theirs, v, many, rows):
    server.client.create_bucket(Bucket=drain_tools.BUCKET + "-2")
    v.start()
    times, env = {"theirs": [], "ours": []}, dict(v.program_env(), PATH="/usr/bin:/bin")
    for number in range(ROUNDS):
        v.sh(f"mkdir {volume.PREFIX}/r{number}")
        os.mkdir(f"{theirs}/r{number}")
        times["ours"] += numbers([driver("files"), "create", f"{volume.PREFIX}/r{number}", str(many)], env)
        times["theirs"] += numbers([driver("files"), "create", f"{theirs}/r{number}", str(many)])
    wanted = ROUNDS * many
    objects = settled(lambda: drain_tools.objects(server), wanted)  # rclone begins to upload some seconds after the close
    records = sum(r["t"] == "f" for r in v.records().values())
    other, ours = (statistics.median(times[which]) for which in ("theirs", "ours"))
    rows.times(what, table.time(other), table.time(ours), other / ours, 10, (objects, wanted), (records, wanted))


def settled(count, wanted):
    """What is counted, as soon as it is what it must be, else after a minute."""
    with contextlib.suppress(TimeoutError):
        wait.until(lambda: count() == wanted, 60, "a count")
    return count()


def main():
    tools = table.Columns("drain", "files/s", "CPU s", "peak memory", "requests a file", "connections", "objects")
    rows = table.Budgets()
    found = drains(tools)
    draining(found, rows)
    queue(rows)
    mounts.private_namespace()
    small_files(rows)
    print(tools.text(), rows.text(), sep="\n\n")
    sys.exit(1 if rows.failed() else 0)


process.adopt_orphans()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    main()
finally:
    process.end_children()
