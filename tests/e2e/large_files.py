#!/usr/bin/env python3
"""Files over 25 MiB go in parts: at the limit, while they are still written, changed, renamed and deleted meanwhile, and after the end of
an uploader. One right object or none, and nothing of the parts is left in the store."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, s3, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402
from lib.large import LargeVolume, Writer  # noqa: E402

MIB = 1 << 20
LIMIT = 25 * MIB
PART = 8 * MIB
server = s3.Server("radosgw")
swift = s3.Server("swift")


def write(v, name, size):
    with Writer(v, name) as w:
        w("write", 0, size)
        w("close")


def right(v):
    expect(v.wrong_objects(), [], "objects")
    expect(v.left_over(), [], "what is left of parts")


@case("the servers start")
def _():
    server.__enter__()
    swift.__enter__()


def at_the_limit(where):
    with LargeVolume(where) as v:
        v.start()
        for size in (LIMIT - 1, LIMIT, LIMIT + 1):
            write(v, f"f{size}", size)
            stored = v.object(f"f{size}") is not None
            expect(stored, size > LIMIT, f"{size} bytes: stored when close has returned")
        v.ctl_ok("flush")
        right(v)
        expect(sorted(set(v.parts())), [1, 2, 3, 4], "parts")
        expect(v.records()[f"f{LIMIT + 1}"]["etag"].endswith("-4"), True, "the ETag")
        etag = v.object(f"f{LIMIT + 1}")[1]["etag"]
        expect(etag, v.records()[f"f{LIMIT + 1}"]["etag"], "the record's ETag")


@case("radosgw: at the limit, one byte less and one more")
def _():
    at_the_limit(server)


@case("swift: likewise")
def _():
    at_the_limit(swift)


def ahead(v, count):
    wait.until(lambda: len(v.parts()) >= count, 60, f"{count} parts ahead of close; log:\n{v.log()}")


def streamed(where):
    with LargeVolume(where) as v:
        v.start()
        with Writer(v, "grows") as w:
            w("write", 0, 60 * MIB)
            ahead(v, 5)
            expect(v.object("grows"), None, "an object before close")
            w("write", 60 * MIB, 20 * MIB + 12345)
            w("close")
            expect(v.object("grows") is not None, True, "stored when close has returned")
        right(v)
        expect(sorted(v.parts()), list(range(1, 12)), "every part once")
        expect(v.begun(), 1, "uploads begun")
        expect(v.records()["grows"]["state"], "uploaded", "the record")


@case("radosgw: parts go ahead while the program writes")
def _():
    streamed(server)


@case("swift: likewise")
def _():
    streamed(swift)


@case("what was sent ahead is rewritten, and the file grows and shrinks: the last state is stored")
def _():
    for last in (70 * MIB, 40 * MIB + 1, 30 * MIB):
        with LargeVolume(server) as v:
            v.start()
            with Writer(v, "f") as w:
                w("write", 0, 60 * MIB)
                ahead(v, 6)
                w("write", 0, 100)
                w("write", 3 * PART - 50, 100)
                w("truncate", last)
                w("close")
            right(v)
            again = {n for n in v.parts() if v.parts().count(n) > 1}
            # Parts that are too many cannot be left out of an upload: then it begins anew.
            wanted = {1, 3, 4} if last > 40 * MIB else set(range(1, 5))
            expect(wanted <= again, True, f"parts sent again: {again}, at least {wanted}")


@case("truncated below the limit while parts are out: stored whole with its turn, and the parts are gone")
def _():
    with LargeVolume(server) as v:
        v.start()
        with Writer(v, "f") as w:
            w("write", 0, 60 * MIB)
            ahead(v, 4)
            w("truncate", 1000)
            w("close")
        expect(v.object("f"), None, "an object")
        v.ctl_ok("flush")
        wait.until(lambda: not v.left_over(), 60, "the parts to be aborted")
        right(v)


@case("renamed while parts are out: one object, of the new name")
def _():
    with LargeVolume(server) as v:
        v.start()
        with Writer(v, "old") as w:
            w("write", 0, 60 * MIB)
            ahead(v, 4)
            v.sh("mv $WBSHIM_PREFIX/old $WBSHIM_PREFIX/new")
            w("write", 60 * MIB, MIB)
            w("close")
        v.ctl_ok("flush")
        expect(v.stored_paths(), ["new"], "objects")
        wait.until(lambda: not v.left_over(), 60, "the parts of the old name to be aborted")
        right(v)


@case("deleted while parts are out: nothing is left")
def _():
    with LargeVolume(server) as v:
        v.start()
        with Writer(v, "f") as w:
            w("write", 0, 60 * MIB)
            ahead(v, 4)
            v.sh("rm $WBSHIM_PREFIX/f")
            w("close")
        wait.until(lambda: not v.left_over(), 60, "the parts to be aborted")
        v.ctl_ok("flush")
        right(v)


def flush_in_background(v):
    return process.start([build.SHIM_CTL, "flush"], env=v.tool_env(), stdout=process.subprocess.DEVNULL, stderr=process.subprocess.DEVNULL)


def end_in_the_middle(v, size, how):
    """The uploader ends when all parts but the last four are stored. How many those are."""
    v.start()
    write(v, "f", size)
    first = size // PART - 3
    v.s3.switch("hang", only=lambda r: f"partNumber={first}&" in r.path)
    child = flush_in_background(v)
    wait.until(lambda: set(v.parts()) >= set(range(1, first)), 60, "all parts before it")
    expect(v.object("f"), None, "an object")
    pid = v.uploader_pid()
    os.kill(pid, how)
    process.wait_gone(pid, 15)
    child.wait(30)
    v.s3.switch()
    return first - 1


def ended(how):
    """The uploader ends in the middle, and the next one goes on."""
    with LargeVolume(server, WRITEBACK_MAX_SIZE="0") as v:
        stored = end_in_the_middle(v, 12 * PART, how)
        before = len(v.s3.requests)
        v.start()
        v.ctl_ok("flush")
        sent = {int(r.path.split("partNumber=")[1].split("&")[0]) for r in v.s3.requests[before:] if "partNumber=" in r.path}
        expect(min(sent) > stored, True, f"parts sent by the second uploader: {sorted(sent)}")
        expect(v.begun(), 1, "uploads begun")
        right(v)


@case("kill -9 in the middle: the next uploader goes on with the parts that are there")
def _():
    ended(signal.SIGKILL)


@case("SIGTERM in the middle: it ends at once, and the next one goes on")
def _():
    ended(signal.SIGTERM)


@case("a file is deleted while no uploader runs: the parts of the last one are aborted")
def _():
    with LargeVolume(server, WRITEBACK_MAX_SIZE="0") as v:
        end_in_the_middle(v, 8 * PART, signal.SIGKILL)
        expect(len(v.left_over()), 2, "what is left")
        v.sh("rm $WBSHIM_PREFIX/f")
        v.start()
        wait.until(lambda: not v.left_over(), 60, "the parts to be aborted")
        v.ctl_ok("flush")
        right(v)


@case("the answer to the last request is lost: stored once, and known so")
def _():
    with LargeVolume(server) as v:
        v.start()
        v.s3.switch("lose", only=lambda r: r.method == "POST" and "uploadId=" in r.path)
        write_in_background(v, lambda: v.s3.switch())
        v.ctl_ok("flush")
        right(v)
        expect(max(v.parts().count(n) for n in (1, 2, 3, 4)), 1, "how often a part was sent")


def write_in_background(v, then):
    with Writer(v, "f") as w:
        w("write", 0, 30 * MIB)
        w.child.stdin.write(b"close\n")
        w.child.stdin.flush()
        wait.until(lambda: any(r.method == "POST" and "uploadId=" in r.path and r.done for r in v.s3.requests), 60, "the last request")
        then()
        w.child.stdout.readline()


@case("parts fail with 500, resets and lost answers: the object is right, and close waited for it")
def _():
    for fault in (("status", 500, "InternalError"), ("cut", "body"), ("lose",)):
        with LargeVolume(server) as v:
            v.start()
            v.s3.switch(*fault, only=lambda r: "partNumber=2&" in r.path and not any(
                o is not r and "partNumber=2&" in o.path and o.time < r.time for o in v.s3.requests))
            write(v, "f", 40 * MIB)
            expect(v.object("f") is not None, True, f"stored when close has returned, after {fault}")
            right(v)


@case("tags, Cache-Control and the type by the name go with parts, too, sent ahead or not")
def _():
    with LargeVolume(server, S3_TAGS="a=1&b=%2F", S3_CACHE_CONTROL="max-age=5", S3_STORAGE_CLASS="STANDARD") as v:
        v.start()
        write(v, "at once.png", 30 * MIB)
        with Writer(v, "ahead.png") as w:
            w("write", 0, 60 * MIB)
            ahead(v, 8)
            w("close")
        for name in ("at once.png", "ahead.png"):
            head = v.bucket.client.head_object(Bucket=v.bucket.name, Key=f"p/{name}")
            expect((head["ContentType"], head["CacheControl"]), ("image/png", "max-age=5"), name)
        # radosgw 16 takes tags with neither, so what was sent is looked at.
        asked = [r for r in v.s3.requests if r.path.endswith("uploads=") or r.header("x-amz-copy-source")]
        expect(len(asked), 3, "beginnings and copies")
        expect({(r.header("x-amz-tagging"), r.header("x-amz-storage-class")) for r in asked}, {("a=1&b=%2F", "STANDARD")}, "what was asked for")
        expect(asked[-1].header("x-amz-tagging-directive"), "REPLACE", "the copy's tags")
        right(v)


@case("verify looks for old parts below the prefix: somebody's upload of today is not touched, a list that fails is said")
def _():
    with LargeVolume(server) as v:
        v.start()
        write(v, "f", 30 * MIB)
        v.bucket.client.create_multipart_upload(Bucket=v.bucket.name, Key="p/theirs")
        v.ctl_ok("verify", "--repair")
        expect(v.left_over(), ["p/theirs"], "what is left of parts")
        old = ("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>p/old%20one</Key><UploadId>no</UploadId>"
               "<Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload><EncodingType>url</EncodingType></ListMultipartUploadsResult>")
        v.s3.switch("text", old, only=lambda r: r.method == "GET" and r.path.split("?")[-1].startswith("encoding-type=url&prefix=p%2F&uploads="))
        done = v.ctl("verify")
        expect(done.returncode, 1, "verify")
        cases.expect_in("leftover parts: /proc/wb/old one: begun more than a day ago", done.stdout.decode(), "verify")
        cases.expect_in("; mended: aborted", v.ctl_ok("verify", "--repair"), "verify --repair")
        aborts = [r.path for r in v.s3.requests if r.method == "DELETE" and "uploadId=no" in r.path]
        expect(len(aborts), 1, "aborts")
        v.s3.switch("status", 403, "AccessDenied", only=lambda r: "uploads=" in r.path)
        done = v.ctl("verify")
        expect(done.returncode, 1, "verify when it may not list")
        cases.expect_in("AccessDenied", done.stderr.decode(), "verify")


@case("the servers stop")
def _():
    server.__exit__()
    swift.__exit__()


cases.main()
