#!/usr/bin/python3
"""The store against real S3 servers that we did not write, read back with boto3.

    store_conformance.py [NAME…]        cases whose name contains one of these

Starts a Ceph RADOS Gateway and OpenStack Swift as children on free ports. store_tool is taken from
the build directory (WBSHIM_BUILD).
"""
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import build, cases, ports, process, s3, scratch, wait  # noqa: E402
from relay import Relay  # noqa: E402

TOOL = os.path.join(build.BUILD, "tests", "s3", "store_tool")
FILE, DIRECTORY, LINK = 0o100644, 0o040755, 0o120777
MTIME = 1700000000000000123  # its fraction begins with zeros
TRICKY = [b"plain", b"a b", b"a+b", b"a%2Bb", b"%", b"100%", b"%25", b"%41", b"~user", b"a//b", b"//two",
          b"a/./b", b"a/../b", b"..", b".", b"trail ", b" lead", b"quote'\"", b"$&,:;=@!*()", b"?x=1&y",
          b"#frag", b"[x]{y}|\\^`<>", "e\u0301 \u00e9".encode(), "\u65e5\u672c/\u8a9e".encode(),
          "\U0001f600".encode(), b"\x01\x1f\x7f", b"new\nline", b"tab\t", "\u2028".encode(), b"deep/" * 40 + b"x"]


class Subject:
    """store_tool with the settings of one server."""

    def __init__(self, server, bucket):
        self.server, self.bucket = server, bucket
        self.client = server.client

    def run(self, *args, url=None, **env):
        """(exit status, {field: value}) of one store_tool run."""
        full = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WBSHIM_")) and not k.lower().endswith("_proxy")}
        full.update(self.server.env(), WBSHIM_STORE_URL=url or f"s3://{self.bucket}/pre/fix", **env)
        full = {k: v for k, v in full.items() if v != ""}
        done = process.run([TOOL, *args], env=full)
        fields = dict(line.partition(" ")[::2] for line in done.stdout.decode(errors="surrogateescape").rstrip("\n").split("\n"))
        if done.returncode not in (0, 1) or done.stderr:
            cases.fail(f"store_tool {args!r}: exit {done.returncode}, {done.stderr!r}")
        for value in fields.values():
            for secret in (self.server.secret, env.get("AWS_SECRET_ACCESS_KEY", ""), env.get("AWS_SESSION_TOKEN", "")):
                if secret and secret != "testing":  # also the word "testing" of a path
                    cases.expect(secret in value, False, "a secret in the output")
        return done.returncode, fields

    def put(self, key, body, mode=FILE, uid=1000, gid=100, mtime=MTIME, generation=7, **env):
        with scratch.directory() as d:
            path = os.path.join(d, "body")
            with open(path, "wb") as f:
                f.write(body)
            return self.run("put", key, path, str(mode), str(uid), str(gid), str(mtime), str(generation), **env)

    def get(self, key):
        with scratch.directory() as d:
            path = os.path.join(d, "body")
            status, fields = self.run("get", key, path)
            cases.expect(status, 0, f"get {key!r}: {fields}")
            with open(path, "rb") as f:
                return f.read(), fields

    def stored(self, key):
        """What boto3 sees: (body, answer)."""
        answer = self.client.get_object(Bucket=self.bucket, Key="pre/fix/" + key)
        return answer["Body"].read(), answer

    def keys(self):
        return s3.Bucket(self.client, self.bucket).keys()


def expect_error(result, outcome, error_class, *parts):
    """A failure with a one-line message that holds these parts."""
    status, fields = result
    cases.expect((status, fields.get("outcome"), fields.get("class", error_class)), (1, outcome, error_class), f"failure {fields}")
    for part in parts:
        cases.expect_in(part, fields["message"], "the message")


def metadata(t):
    body = b"hello\0world\xff" * 10
    cases.expect(t.put("dir/file.txt", body)[0], 0, "put")
    stored, answer = t.stored("dir/file.txt")
    cases.expect(stored, body, "bytes")
    cases.expect(answer["Metadata"], {"mode": "33188", "uid": "1000", "gid": "100", "mtime": "1700000000.000000123", "wbshim-gen": "7"}, "metadata")
    cases.expect(answer["ContentType"], "text/plain", "content type")
    back, fields = t.get("dir/file.txt")
    cases.expect(back, body, "bytes read back")
    cases.expect((fields["generation"], fields["etag"]), ("7", hashlib.md5(body).hexdigest()), "generation, ETag")
    status, fields = t.run("head", "dir/file.txt")
    cases.expect((status, fields["size"], fields["generation"]), (0, str(len(body)), "7"), "head")


def kinds(t):
    cases.expect(t.put("d/", b"", mode=DIRECTORY)[0], 0, "put a directory")
    cases.expect(t.put("l", b"../target", mode=LINK)[0], 0, "put a link")
    cases.expect(t.put("empty", b"")[0], 0, "put an empty file")
    body, answer = t.stored("d/")
    cases.expect((body, answer["ContentType"], answer["Metadata"]["mode"]), (b"", "application/x-directory", "16877"), "the directory")
    body, answer = t.stored("l")
    cases.expect((body, answer["Metadata"]["mode"]), (b"../target", "41471"), "the link")
    cases.expect(t.stored("empty")[0], b"", "the empty file")


def tricky(t):
    for key in TRICKY:
        body = b"body of " + key
        status, fields = t.put(key, body)
        cases.expect(status, 0, f"put {key!r}: {fields}")
        cases.expect(t.stored(key.decode())[0], body, f"{key!r} by boto3")
        cases.expect(t.get(key)[0], body, f"{key!r} by us")
    for key in TRICKY:
        cases.expect(t.run("remove", key)[0], 0, f"remove {key!r}")
    cases.expect([k for k in TRICKY if t.run("head", k)[1]["outcome"] != "Absent"], [], "what is left")


def every_byte(t):
    for byte in range(1, 256):
        key = b"byte/<" + bytes([byte]) + b">"
        if byte == 0x2F:
            continue
        name = key.decode(errors="replace") if byte < 0x80 else f"byte/<%{byte:02X}>"
        cases.expect(t.put(key, key)[0], 0, f"put {key!r}")
        cases.expect(t.stored(name)[0], key, f"{key!r} as {name!r}")


def long_keys(t):
    room = 1024 - len("pre/fix/")
    longest = "/".join(["x" * 99] * 11)[:room]
    cases.expect(t.put(longest, b"long")[0], 0, "put with 1024 bytes")
    cases.expect(t.stored(longest)[0], b"long", "it")
    longest_escaped = b"\xff" * (room // 3)
    cases.expect(t.put(longest_escaped, b"long")[0], 0, "put with escapes")
    with Relay(t.server.endpoint) as relay:
        result = t.put(longest + "x", b"", AWS_ENDPOINT_URL_S3=relay.url)
        expect_error(result, "Refused", "KeyTooLong", "1025 bytes", "1024", "shorter")
        result = t.put(longest_escaped + b"\xff", b"", AWS_ENDPOINT_URL_S3=relay.url)
        expect_error(result, "Refused", "KeyTooLong")
        cases.expect(relay.accepted, 0, "connections")


def sizes(t):
    for size in (1, 4096, 1 << 20, (1 << 20) + 1, 5_000_000):
        body = os.urandom(size)
        cases.expect(t.put("sized", body)[0], 0, f"put {size} bytes")
        cases.expect(t.stored("sized")[0] == body, True, f"{size} bytes by boto3")
        cases.expect(t.get("sized")[0] == body, True, f"{size} bytes by us")


def listed(t, directory):
    """(keys, directories, sizes and ETags by key, pages), as bytes."""
    status, fields = t.run("list", directory)
    cases.expect(status, 0, f"list {directory!r}: {fields}")
    found = json.loads(fields["listing"])
    objects = {os.fsencode(o["key"]): (o["size"], o["etag"]) for o in found["objects"]}
    cases.expect(len(objects), len(found["objects"]), "keys that came once")
    return sorted(objects), sorted(os.fsencode(d) for d in found["directories"]), objects, int(fields["pages"])


def wait_listed(t, directory, keys, directories):
    """Swift's lists are late by a second under load."""
    wait.until(lambda: listed(t, directory)[:2] == (sorted(keys), sorted(directories)), 30, f"the list of {directory!r}")


def lists(t):
    names = [name for name in TRICKY if b"/" not in name and name not in (b".", b"..")] + [b"not utf8 \xff", b"%FF", b"%25FF", b"\xe9%41"]
    for name in names:
        cases.expect(t.put(b"odd/" + name, name)[0], 0, f"put {name!r}")
    for key in (b"odd/", b"odd/sub \xfe/", b"odd/a&b/c", b"odd/sub \xfe/deep/x"):
        cases.expect(t.put(key, b"" if key.endswith(b"/") else key, mode=DIRECTORY if key.endswith(b"/") else FILE)[0], 0, f"put {key!r}")
    wait_listed(t, b"odd/", [b"odd/" + n for n in names] + [b"odd/"], [b"odd/sub \xfe/", b"odd/a&b/"])
    wait_listed(t, b"odd/sub \xfe/", [b"odd/sub \xfe/"], [b"odd/sub \xfe/deep/"])
    wait_listed(t, b"no such/", [], [])
    objects = listed(t, b"odd/")[2]
    cases.expect(objects[b"odd/tab\t"], (4, hashlib.md5(b"tab\t").hexdigest()), "size and ETag")


def lists_pages(t):
    """More than a page of objects, and of directories."""
    status, fields = t.run("fill", "pages/+ %", "1003", "1", WBSHIM_MAX_UPLOADS="16")
    cases.expect((status, fields.get("stored")), (0, "1003"), f"fill {fields}")
    for i in range(2):
        t.put(f"pages/+ %/d{i}/f", b"")
    wait_listed(t, b"pages/+ %/", [b"pages/+ %%/%06d" % i for i in range(1003)], [b"pages/+ %/d0/", b"pages/+ %/d1/"])
    pages = listed(t, b"pages/+ %/")[3]
    cases.expect(pages, 2, "pages")


def list_refused(t):
    expect_error(t.run("list", "", url="s3://no-such-bucket/p"), "Blocked", "NoSuchBucket", "create it")
    expect_error(t.run("list", "", AWS_SECRET_ACCESS_KEY="wrong-secret-0123"), "Credentials", "SignatureDoesNotMatch")
    with Relay(t.server.endpoint) as relay:
        relay.cut_answers = True
        expect_error(t.run("list", "", AWS_ENDPOINT_URL_S3=relay.url), "TryLater", "broken")


def absent(t):
    cases.expect(t.run("head", "no such")[1]["outcome"], "Absent", "head")
    cases.expect(t.run("get", "no such", "/dev/null")[1]["outcome"], "Absent", "get")
    cases.expect(t.run("remove", "no such")[0], 0, "remove")


def probe(t):
    before = t.keys()
    status, fields = t.run("probe")
    cases.expect((status, t.keys()), (0, before), f"probe {fields}")
    cases.expect(t.run("probe", url=f"s3://{t.bucket}")[0], 0, "probe without a prefix")


def refused(t):
    place = t.server.endpoint
    for ask in (("probe",), ("remove", "k")):
        probing = ask == ("probe",)  # which only says "Refused", with the same message
        credentials, later, blocked = ("Refused",) * 3 if probing else ("Credentials", "TryLater", "Blocked")
        result = t.run(*ask, url="s3://no-such-bucket/p")
        expect_error(result, blocked, "NoSuchBucket", "s3://no-such-bucket/p", place, "404 NoSuchBucket", "request id", "create it")
        result = t.run(*ask, AWS_SECRET_ACCESS_KEY="wrong-secret-0123")
        expect_error(result, credentials, "SignatureDoesNotMatch", place, "403 SignatureDoesNotMatch", "request id", t.server.access, "AWS_SECRET_ACCESS_KEY")
        code = "InvalidAccessKeyId" if t.server.kind == "radosgw" else "SignatureDoesNotMatch"
        result = t.run(*ask, AWS_ACCESS_KEY_ID="no:body")
        expect_error(result, credentials, code, place, f"403 {code}", "'no:body'", "AWS_ACCESS_KEY_ID")
        dead = f"http://127.0.0.1:{ports.free()}"
        result = t.run(*ask, AWS_ENDPOINT_URL_S3=dead)
        expect_error(result, later, "connect", dead, "AWS_ENDPOINT_URL_S3", "Failed to connect")
        result = t.run(*ask, AWS_ENDPOINT_URL_S3="http://no-such-host.invalid:1")
        expect_error(result, later, "connect", "no-such-host.invalid", "AWS_ENDPOINT_URL_S3")


def unset(t):
    result = t.run("probe", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", HOME="/nonexistent")
    expect_error(result, "Refused", "", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "~/.aws/credentials")


def clock(t):
    for hours in (-1, 1):
        result = t.put("late", b"x", STORE_TOOL_SKEW_S=str(hours * 3600))
        expect_error(result, "TryLater", "RequestTimeTooSkewed", "the server's clock says", "clocks")


def region(t):
    if t.server.kind == "radosgw":  # accepts any
        cases.expect(t.run("probe", AWS_REGION="eu-central-1")[0], 0, "probe")
        return
    result = t.put("k", b"x", AWS_REGION="eu-central-1")
    expect_error(result, "TryLater", "AuthorizationHeaderMalformed", "'eu-central-1'", "AWS_REGION to 'us-east-1'")
    cases.expect(t.put("k", b"x", AWS_REGION="eu-central-1", STORE_TOOL_AGAIN="1")[0], 0, "the region is learnt")


def connections(t):
    with Relay(t.server.endpoint) as relay:
        status, fields = t.run("fill", "many", "200", "4096", AWS_ENDPOINT_URL_S3=relay.url, WBSHIM_MAX_UPLOADS="8")
        cases.expect((status, fields.get("stored")), (0, "200"), f"fill {fields}")
        if not 2 <= relay.peak <= relay.accepted <= 8:
            cases.fail(f"{relay.accepted} connections, {relay.peak} at once; wanted 2 to 8")
    heads = [t.run("head", f"many/{i:06d}")[1] for i in (0, 100, 199)]
    cases.expect([(h["size"], h["generation"]) for h in heads], [("4096", str(i + 1)) for i in (0, 100, 199)], "what is stored")


def one_connection(t):
    with Relay(t.server.endpoint) as relay:
        status, _ = t.run("fill", "serial", "20", "10", AWS_ENDPOINT_URL_S3=relay.url, WBSHIM_MAX_UPLOADS="1")
        cases.expect((status, relay.accepted), (0, 1), "status, connections")


def lost_answer(t):
    with Relay(t.server.endpoint) as relay:
        relay.cut_answers = True
        expect_error(t.put("lost", b"kept", AWS_ENDPOINT_URL_S3=relay.url), "Unknown", "broken", relay.url)
        cases.expect(t.stored("lost")[0], b"kept", "it landed all the same")
        expect_error(t.run("remove", "lost", AWS_ENDPOINT_URL_S3=relay.url), "Unknown", "broken")
        expect_error(t.run("head", "lost", AWS_ENDPOINT_URL_S3=relay.url), "TryLater", "broken")


def slow_down(kind):
    """Real throttles: radosgw by requests at once, Swift by requests a second."""
    limits = {"radosgw": {"CEPH_MAX_REQS": "1"}, "swift": {"SWIFT_RATELIMIT": "5"}}
    with s3.Server(kind, **limits[kind]) as server:
        server.client.create_bucket(Bucket="throttled")
        t = Subject(server, "throttled")
        for _ in range(20):
            status, fields = t.run("fill", "many", "100", "100")
            if status:
                return expect_error((status, fields), "TryLater", "SlowDown", "503 SlowDown", "WBSHIM_MAX_UPLOADS")
        return cases.fail("nothing was throttled")


def tls():
    with s3.Server("radosgw", CEPH_TLS="1") as server:
        server.client.create_bucket(Bucket="over-tls")
        t = Subject(server, "over-tls")
        secure = f"https://localhost:{server.port + 10}"
        result = t.put("k", b"x", AWS_ENDPOINT_URL_S3=secure)
        expect_error(result, "TryLater", "tls", secure, "AWS_CA_BUNDLE")
        trusted = {"AWS_ENDPOINT_URL_S3": secure, "AWS_CA_BUNDLE": os.path.join(server.path, "cert.pem")}
        cases.expect(t.put("k", b"by tls", **trusted)[0], 0, "put")
        cases.expect(t.stored("k")[0], b"by tls", "it")


def virtual_host():
    with s3.Server("radosgw", CEPH_DOMAIN="s3.localhost") as server:
        server.client.create_bucket(Bucket="by-host")
        t = Subject(server, "by-host")
        env = {"AWS_ENDPOINT_URL_S3": f"http://s3.localhost:{server.port}", "WBSHIM_S3_ADDRESSING": "virtual"}
        cases.expect(t.put("a+b/c d", b"virtual", **env)[0], 0, "put")
        cases.expect(t.stored("a+b/c d")[0], b"virtual", "it")


ON_EACH = [("bytes and metadata", metadata), ("directory, link, empty file", kinds), ("tricky keys", tricky),
           ("every byte in a key", every_byte), ("1024 bytes of key", long_keys), ("bodies of many sizes", sizes),
           ("what is not there", absent), ("lists of odd names", lists), ("lists over several pages", lists_pages),
           ("a list that is refused", list_refused), ("probe", probe), ("refusals name their mend", refused),
           ("no credentials", unset), ("clock skew", clock), ("region", region),
           ("kept connections, several at once", connections), ("one connection", one_connection), ("a lost answer", lost_answer)]


def main():
    names, sys.argv[1:] = sys.argv[1:], []  # chosen here, so that a server's end is never left out
    running = {}

    def add(name, function):
        if not names or any(n in name for n in names):
            cases.add(name, function, 300)

    def on(kind, function):
        def run():
            if kind not in running:
                server = s3.Server(kind)
                server.__enter__()
                server.client.create_bucket(Bucket="conformance")
                running[kind] = Subject(server, "conformance")
            function(running[kind])
        return run

    def last(kind):
        if kind in running:
            running.pop(kind).server.__exit__(None, None, None)

    for kind in s3.KINDS:
        for name, function in ON_EACH:
            add(f"{kind}: {name}", on(kind, function))
        cases.add(f"{kind}: ends with the test", lambda kind=kind: last(kind))
        add(f"{kind}: throttled", lambda kind=kind: slow_down(kind))
    add("radosgw: TLS", tls)
    add("radosgw: virtual-host style", virtual_host)
    cases.main()


if __name__ == "__main__":
    main()
