#!/usr/bin/env python3
"""What can be seen of a running volume: /metrics, <prefix>/.stats, shim-ctl status."""
import os
import re
import sys
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, ports, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402

_LINE = re.compile(r'^([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)$')
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def parse(text):
    """{name or name{labels}: value}; every line must be a sample or a comment."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = _LINE.match(line)
            if not match:
                cases.fail(f"not a line of the text format: {line!r}")
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


def measured(**options):
    """A volume whose uploader shows its metrics on a free port."""
    return volume.Volume(METRICS=f"127.0.0.1:{ports.free()}", **options)


def scrape(v):
    with _opener.open(f"http://{v.options['METRICS']}/metrics", timeout=5) as answer:
        return parse(answer.read().decode())


@case("what came and went while nobody listened is counted as skipped, and the count outlives the uploader")
def _():
    with measured() as v:
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3 4 5; do echo $i > f$i; done; rm f1 f2")
        v.start()
        wait.until(lambda: len(v.records()) == 3, what="the journal to be replayed")
        name = 'wbshim_uploads_skipped_total{reason="deleted"}'
        expect(scrape(v)[name], 2, "skips")
        v.sh("rm $WBSHIM_PREFIX/f3")
        wait.until(lambda: scrape(v)[name] == 3, what="the third skip")
        v.ctl_ok("stop")
        v.start()
        expect(scrape(v)[name], 3, "skips after a restart")


@case("/metrics and .stats: uploads, skips, gauges that return to 0, the library's counters of all processes")
def _():
    with measured(UPLOAD_DELAY="1s") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3 4 5; do /bin/sh -c \"printf 12345678 > f$i\"; done; rm f5; cat f1 f2 > /dev/null")
        early = scrape(v)
        expect((early["wbshim_staging_files"], early["wbshim_staging_bytes"]), (4, 32), "what is staged")
        expect(early["wbshim_staging_oldest_age_seconds"] >= 0, True, "age of the oldest")
        wait.until(lambda: scrape(v)["wbshim_staging_files"] == 0, 60, "the gauge to return to 0")
        late = scrape(v)
        expect((late["wbshim_staging_bytes"], late["wbshim_staging_oldest_age_seconds"]), (0, 0), "gauges")
        expect((late["wbshim_uploads_total"], late["wbshim_upload_bytes_total"]), (4, 32), "uploads")
        expect(late['wbshim_uploads_skipped_total{reason="deleted"}'], 1, "skips")
        expect(late["wbshim_upload_lag_seconds_count"], 4, "the histogram's count")
        expect(late["wbshim_publishes_total"] >= 6, True, f"publishes of all processes: {late['wbshim_publishes_total']}")
        expect(late["wbshim_staging_reads_total"] >= 2, True, f"reads: {late['wbshim_staging_reads_total']}")
        expect(late.get("wbshim_dead_letters"), 0, "dead letters")
        stats = parse(v.sh("cat $WBSHIM_PREFIX/.stats"))
        expect(set(late) - set(stats), set(), "names in /metrics that .stats has not")
        expect(stats["wbshim_uploads_total"], 4, ".stats")
        expect(".stats" in v.records(), False, "a record of .stats")


# Every one changes the statistics file, or puts something in its place.
_CHANGES = """
open(p, 'w') open(p, 'a') open(p, 'r+') os.open(p, os.O_RDONLY|os.O_TRUNC) os.truncate(p, 0) os.unlink(p) os.rmdir(p) os.mkdir(p) os.mkfifo(p) os.mknod(p)
os.rename('f', p) os.rename(p, 'g') os.replace('f', p) os.link('f', p) os.link(p, 'g') os.symlink('f', p) os.chmod(p, 0o600) os.utime(p) os.setxattr(p, 'user.x', b'x')
os.chown(p, 0, 0) libc.fopen(p, b'w') libc.posix_spawn_file_actions_addopen(actions, 1, p, os.O_WRONLY, 0)
"""
_TRY = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = ctypes.c_void_p
actions = ctypes.create_string_buffer(200)
libc.posix_spawn_file_actions_init(actions)
os.makedirs('d/e', exist_ok=True)
open('f', 'w').write('mine')
for p in '.stats', './.stats', os.getcwd() + '/.stats', os.getcwd() + '//.stats', os.getcwd() + '/d/../.stats', 'd/e/../../.stats', './/./.stats':
    assert open(p).read().startswith('#'), p
    for call in sys.argv[1:]:
        try:
            result = eval(call.replace('(p', '(os.fsencode(p)').replace(', p', ', os.fsencode(p)'))
            if result == 30 or result is None and ctypes.get_errno() == 30: continue
            print(p, call, result)
        except OSError as e:
            if e.errno != 30: print(p, call, e)
    try:
        os.open(p, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        pass
    else:
        print(p, 'created')
    try:
        if len(p) < 100: socket.socket(socket.AF_UNIX).bind(p)
    except OSError as e:
        if e.errno != 98: print(p, e)
    else:
        print(p, 'bound')
os.mkdir('x'); os.rename('x', 'd/.stats'); open('d/.stats/.stats', 'w').write('mine'); os.unlink('d/.stats/.stats'); open('.statsx', 'w').close()
"""


@case(".stats can be looked at, by every spelling, and nothing else")
def _():
    with measured(UPLOAD_DELAY="1h") as v:
        v.start()
        calls = re.findall(r"\S+\(.*?\)(?=\s)", _CHANGES)
        expect(len(calls), 22, "calls")
        done = v.run(["/usr/bin/python3", "-B", "-c", "import os; os.chdir('" + volume.PREFIX + "')" + _TRY, *calls])
        expect((done.returncode, done.stdout.decode(), done.stderr.decode()), (0, "", ""), "what did not say EROFS")
        expect(sorted(v.records()), [".statsx", "d", "d/.stats", "d/e", "f"], "records")
        expect(os.path.lexists(os.path.join(v.tree, ".stats")), False, "a file of that name in the tree")


@case("gauges are rebuilt from the truth at start")
def _():
    with measured(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3; do printf 1234 > f$i; done")
        v.kill_uploader()
        v.start()
        wait.until(lambda: scrape(v).get("wbshim_staging_files") == 3, 60, "the gauge")
        expect(scrape(v)["wbshim_staging_bytes"], 12, "bytes")


@case("status: a document with what waits, and words for people")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("printf 12345 > $WBSHIM_PREFIX/f")
        document = v.ctl_json("status")
        expect(document["staged"]["files"], 1, f"staged files in {document}")
        expect(document["staged"]["bytes"], 5, f"staged bytes in {document}")
        cases.expect_in("1", v.ctl_ok("status"), "status for people")


@case("the metrics address taken: exit 2 and one line for a set one")
def _():
    import socket
    with socket.socket() as taken, volume.Volume() as v:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        v.options["METRICS"] = f"127.0.0.1:{taken.getsockname()[1]}"
        done = v.ctl("start")
        expect(done.returncode, 2, f"exit status; {done.stderr!r}")
        cases.expect_in("WBSHIM_METRICS", done.stderr.decode(), "the line")


cases.main()
