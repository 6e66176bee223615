#!/usr/bin/python3
"""What WBSHIM_S3_… asks for with every new object arrives, is what boto3 finds, and is told of when a server will not have it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import build, cases, odd_s3, process, s3, stored, wait  # noqa: E402
from lib.cases import case, expect, expect_in, expect_one_line  # noqa: E402
from lib.odd_volume import OddVolume  # noqa: E402

TOOL = os.path.join(build.BUILD, "tests", "s3", "store_tool")
ALL = {"S3_STORAGE_CLASS": "STANDARD", "S3_SSE": "aws:kms", "S3_SSE_KMS_KEY_ID": "testkey-1", "S3_ACL": "public-read",
       "S3_TAGS": "team=a%2Fb%20c&empty=", "S3_CACHE_CONTROL": "public, max-age=60"}
HEADERS = {"x-amz-storage-class": "STANDARD", "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "testkey-1",
           "x-amz-acl": "public-read", "x-amz-tagging": "team=a%2Fb%20c&empty=", "cache-control": "public, max-age=60"}
ceph = s3.Server("radosgw")


def echo_kms(handler):
    """OddS3 that encrypts as it was asked to."""
    if handler.command != "PUT" or "x-amz-server-side-encryption" not in handler.headers:
        return False
    handler.reply(200, ETag='"0-1"', x_amz_server_side_encryption=handler.headers["x-amz-server-side-encryption"])
    return True


@case("radosgw starts")
def _():
    ceph.__enter__()


@case("radosgw: tags, storage class, KMS key, ACL, Cache-Control and types are what boto3 finds")
def _():
    with stored.StoredVolume(ceph, **ALL) as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir -p d/empty; echo '<p>' > d/page.html; echo x > plain; ln -s d/page.html link.html; : > none.json")
        v.ctl_ok("flush")
        client, name = v.bucket.client, v.bucket.name
        types = {"d/page.html": "text/html", "plain": "application/octet-stream", "link.html": "application/octet-stream",
                 "none.json": "application/json", "d/empty/": "application/x-directory"}
        for path, mime in types.items():
            key = "p/" + path
            head = client.head_object(Bucket=name, Key=key)
            expect((head["ContentType"], head["CacheControl"]), (mime, "public, max-age=60"), f"type and cache of {path}")
            if head["ContentLength"]:  # radosgw encrypts no bytes where there are none
                expect((head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")), ("aws:kms", "testkey-1"), f"encryption of {path}")
            tags = client.get_object_tagging(Bucket=name, Key=key)["TagSet"]
            expect({t["Key"]: t["Value"] for t in tags}, {"team": "a/b c", "empty": ""}, f"tags of {path}")
            grants = client.get_object_acl(Bucket=name, Key=key)["Grants"]
            expect(any(g["Grantee"].get("URI", "").endswith("AllUsers") and g["Permission"] == "READ" for g in grants), True, f"public-read of {path}")
        expect(client.get_object(Bucket=name, Key="p/d/page.html")["Body"].read(), b"<p>\n", "the bytes")
        expect([o["StorageClass"] for o in client.list_objects_v2(Bucket=name, Prefix="p/plain")["Contents"]], ["STANDARD"], "storage class")


@case("radosgw takes AES256 and does not say so: stored, and told once")
def _():
    with stored.StoredVolume(ceph, S3_SSE="AES256") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3; do echo $i > f$i; done")
        v.ctl_ok("flush")
        expect([v.object(f"f{i}")[0] for i in (1, 2, 3)], [b"1\n", b"2\n", b"3\n"], "objects")
        expect(v.log().count("WBSHIM_S3_SSE=AES256"), 1, "lines of the log about it")


@case("radosgw: a key or storage class that it does not have: no start, and one line that names the option")
def _():
    for options in ({"S3_SSE": "aws:kms", "S3_SSE_KMS_KEY_ID": "no-such-key"}, {"S3_STORAGE_CLASS": "NO_SUCH_CLASS"}):
        with stored.StoredVolume(ceph, **options) as v:
            expect_one_line(v.ctl("start", timeout=60), 2, "WBSHIM_" + list(options)[-1])


@case("Swift knows no tags: no start, and the line says what was asked for")
def _():
    with s3.Server("swift") as server:
        server.client.create_bucket(Bucket="tags")
        done = process.run([TOOL, "probe"], env=dict(server.env(), HOME="/nonexistent", WBSHIM_STORE_URL="s3://tags/p", WBSHIM_S3_TAGS="a=1"))
        expect(done.returncode, 1, "exit status")
        for part in ("501 NotImplemented", "it was sent with WBSHIM_S3_TAGS"):
            expect_in(part, done.stdout.decode(), "what it says")


@case("every header is sent as it was said, signed, with each object and the probe; none of them without its option")
def _():
    with odd_s3.OddS3() as server, OddVolume(server, S3_REQUEST_PAYER="1", **ALL) as v:
        server.answer = echo_kms
        v.start()
        v.sh("echo 1 > $WBSHIM_PREFIX/f.csv; mkdir $WBSHIM_PREFIX/d")
        v.ctl_ok("flush")
        for path in ("f.csv", "d/", ".wbshim-probe"):
            sent = {name.lower(): value for name, value in server.sent(path)[-1].items()}
            expect({name: sent.get(name) for name in HEADERS}, HEADERS, f"headers of {path}")
            signed = sent["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
            expect(sorted(set(HEADERS) - set(signed)), [], f"headers of {path} that are not signed")
        expect(server.sent("f.csv")[-1]["content-type"], "text/csv", "type")
        payers = {(method, headers.get("x-amz-request-payer")) for method, _, headers in server.requests}
        expect({payer for _, payer in payers}, {"requester"}, f"who pays {payers}")
    with odd_s3.OddS3() as server, OddVolume(server) as v:
        v.start()
        v.sh("echo 1 > $WBSHIM_PREFIX/f")
        v.ctl_ok("flush")
        sent = {name.lower() for _, _, headers in server.requests for name in headers}
        expect(sorted(sent & (set(HEADERS) | {"x-amz-request-payer"})), [], "headers that nobody asked for")


@case("who pays is said with HEAD, GET, DELETE and LIST, too")
def _():
    with odd_s3.OddS3() as server:
        env = dict(server.env(), HOME="/nonexistent", WBSHIM_STORE_URL="s3://odd/p", WBSHIM_S3_REQUEST_PAYER="1")
        for ask in (["head", "k"], ["get", "k", "/dev/null"], ["remove", "k"], ["list", ""]):
            process.run([TOOL, *ask], env=env)
        expect([(m, h.get("x-amz-request-payer")) for m, _, h in server.requests],
               [(m, "requester") for m in ("HEAD", "GET", "DELETE", "GET")], "requests")


@case("a server that ignores aws:kms: no start; one that begins to: nothing more counts as stored")
def _():
    with odd_s3.OddS3() as server:
        with OddVolume(server, S3_SSE="aws:kms") as v:
            expect_one_line(v.ctl("start", timeout=60), 2, "does not say that it has encrypted", "WBSHIM_S3_SSE")
        with OddVolume(server, S3_SSE="aws:kms") as v:
            server.answer = echo_kms
            v.start()
            v.sh("echo 1 > $WBSHIM_PREFIX/f")
            v.ctl_ok("flush")
            server.answer = None
            v.sh("echo 2 > $WBSHIM_PREFIX/g")
            wait.until(lambda: v.errors("NotEncrypted") >= 2, 60, "two tries that fail")
            expect((v.state("f"), v.state("g")), ("uploaded", "staged"), "records")
            server.answer = echo_kms
            v.ctl_ok("flush")
            expect(v.state("g"), "uploaded", "the record afterwards")


@case("what is wrong with a value is said before anything starts, in one line with its origin")
def _():
    wrong = {"S3_TAGS": ("a=1&b", "name=value"), "S3_SSE": ("kms", "none, AES256 or aws:kms"), "S3_ACL": ("everybody", "public-read"),
             "S3_SSE_KMS_KEY_ID": ("k", "WBSHIM_S3_SSE=aws:kms"), "S3_STORAGE_CLASS": ("a b", "STANDARD_IA"),
             "S3_CACHE_CONTROL": ("caf\u00e9", "one line"), "S3_REQUEST_PAYER": ("yes", "0 or 1")}
    with odd_s3.OddS3() as server:
        for name, (value, mend) in wrong.items():
            with OddVolume(server, **{name: value}) as v:
                expect_one_line(v.ctl("start", timeout=60), 2, f"WBSHIM_{name} is '", f"environment WBSHIM_{name}", mend)
        expect(server.requests, [], "requests meanwhile")


@case("radosgw ends with the test")
def _():
    ceph.__exit__(None, None, None)


if __name__ == "__main__":
    cases.main()
