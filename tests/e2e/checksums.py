#!/usr/bin/env python3
"""Bytes that are damaged on their way are never reported as stored: WBSHIM_S3_CHECKSUM, the ETag, and the hash that every server checks."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "s3"))
import relay  # noqa: E402
from lib import cases, odd_s3, s3, stored, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402
from lib.odd_volume import OddVolume  # noqa: E402


def damaged(body):
    """One bit of what the file holds, far from the other objects' texts."""
    return body.replace(b"precious", b"preciour")


@case("a server that stores other bytes and says so by the ETag: never stored, tried again, well in the end")
def _():
    with odd_s3.OddS3() as server, OddVolume(server) as v:
        server.damage = damaged
        v.start()
        v.sh("printf 'precious bytes' > $WBSHIM_PREFIX/f")
        wait.until(lambda: v.errors("ETagMismatch") >= 2, 60, "two tries that fail")
        expect(v.state("f"), "staged", "the record while the server has other bytes")
        done = v.ctl("flush", "--timeout", "2s", timeout=60)
        expect(done.returncode != 0, True, "flush may not say that it is stored")
        server.damage = None
        v.ctl_ok("flush")
        expect((v.state("f"), server.stored("f")), ("uploaded", b"precious bytes"), "record and object")
        expect_in("PUT 'f': the server has other bytes than were sent (ETag ", v.log(), "the log")


@case("a checksum in the answer is compared; auto goes on sending it to a server that knows it")
def _():
    with odd_s3.OddS3() as server, OddVolume(server) as v:
        server.echo = lambda headers, body: headers.get("x-amz-checksum-crc32c")
        v.start()
        v.sh("printf 'precious' > $WBSHIM_PREFIX/f; head -c 3000000 /dev/urandom > $WBSHIM_PREFIX/big; : > $WBSHIM_PREFIX/empty")
        v.ctl_ok("flush")
        for path in ("f", "empty"):
            expect([h["x-amz-checksum-crc32c"] for h in server.sent(path)], [odd_s3.crc32c(server.stored(path))], f"the checksum of {path}")
        expect(server.sent("big")[0]["x-amz-checksum-crc32c"], odd_s3.crc32c(server.stored("big")), "of a big file, read in pieces")
        expect_in("x-amz-checksum-crc32c", server.sent("f")[0]["authorization"], "the signed headers")
        server.echo = lambda headers, body: odd_s3.crc32c(b"other")
        v.sh("printf 'more' > $WBSHIM_PREFIX/g")
        wait.until(lambda: v.errors("ChecksumMismatch") >= 1, 60, "a try that fails")
        expect(v.state("g"), "staged", "the record meanwhile")
        server.echo = None
        v.ctl_ok("flush")
        expect(v.state("g"), "uploaded", "the record afterwards")


@case("auto spares servers that do not know the checksum; crc32c does not; none sends and compares nothing")
def _():
    for mode, sent, state in (("auto", False, "staged"), ("crc32c", True, "staged"), ("none", False, "uploaded")):
        with odd_s3.OddS3() as server, OddVolume(server, S3_CHECKSUM=mode) as v:
            v.start()
            v.sh("printf 'sound' > $WBSHIM_PREFIX/f")
            v.ctl_ok("flush")
            expect("x-amz-checksum-crc32c" in server.sent("f")[0], sent, f"sent with {mode}")
            server.damage = damaged
            v.sh("printf 'precious' > $WBSHIM_PREFIX/g")
            wait.until(lambda: len(server.sent("g")) >= (1 if state == "uploaded" else 2), 60, "the tries")
            if state == "uploaded":
                wait.until(lambda: v.state("g") == state, 60, "the record")
            expect(v.state("g"), state, f"the record with {mode}")


@case("a server that refuses the header: auto starts without it, crc32c does not start")
def _():
    def refuse(handler):
        if "x-amz-checksum-crc32c" not in handler.headers:
            return False
        handler.reply(501, b"<Error><Code>NotImplemented</Code></Error>")
        return True
    with odd_s3.OddS3() as server:
        server.answer = refuse
        with OddVolume(server) as v:
            v.start()
            v.sh("echo x > $WBSHIM_PREFIX/f")
            v.ctl_ok("flush")
            expect(server.stored("f"), b"x\n", "the object")
        with OddVolume(server, S3_CHECKSUM="crc32c") as v:
            cases.expect_one_line(v.ctl("start", timeout=60), 2, "NotImplemented")


class DamagingRelay(relay.Relay):
    """Changes one word in what goes to the server, as long as it is told to."""
    word = None
    changed = 0

    def _pass_on(self, source):
        if self.word and not self.peers[source][1]:
            data = source.recv(1 << 16)
            if self.word in data:
                self.changed += 1
                self.peers[source][0].sendall(data.replace(self.word, self.word[::-1]))
                return
            if data:
                self.peers[source][0].sendall(data)
                return
        super()._pass_on(source)


@case("a body that is changed on the way to a real server: refused there, sent again, stored as it is")
def _():
    with s3.Server("radosgw") as server, DamagingRelay(server.endpoint) as way, stored.StoredVolume(server, UPLOAD_DELAY="0s") as v:
        v.extra["AWS_ENDPOINT_URL_S3"] = way.url
        way.word = b"precious-word"
        v.start()
        v.sh("printf 'a precious-word here' > $WBSHIM_PREFIX/f")
        wait.until(lambda: way.changed >= 2, 60, "two damaged requests")
        expect((v.records()["f"]["state"], v.object("f")), ("staged", None), "record and object meanwhile")
        way.word = None
        v.ctl_ok("flush")
        expect(v.object("f")[0], b"a precious-word here", "the object")
        expect((v.records()["f"]["state"], v.puts("f")), ("uploaded", 1), "record and PUTs that were taken")


cases.main()
