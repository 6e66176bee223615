#!/usr/bin/env python3
"""Whoever the uploader talks to may be hostile: names of files, what stands in Redis, what a store answers, who connects to its socket."""
import hashlib
import json
import os
import random
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, odd_s3, process, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402

MOST_MEMORY_KB = 250000


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def ask(v, request, timeout=30):
    """One request to the uploader's socket; the last line of its answer."""
    with connect(v) as s:
        s.settimeout(timeout)
        s.sendall(request + b"\0")
        text = b""
        while not any(line.startswith((b"OK", b"ERR ")) for line in text.split(b"\n")[:-1]):
            more = s.recv(65536)
            if not more:
                raise AssertionError(f"the connection ended after {text!r}")
            text += more
        return text.split(b"\n")[-2]


HARD_NAMES = [b"..x", b"...", b"%2e%2e", b"%2e%2e%2fetc", b"a%25b", b"http:", b"s3:%2F%2Fbucket", b"x\r\nX-Evil: 1", b"\x01\x02\x7f", b"\xff\xfe",
              b"a\\..\\b", b"~", b"-rf", b"$(touch x)", b"`x`", b"*", b"?a=b&c=d#e", b"\xe2\x80\xae", b" ", b"n" * 255, b".wbshim-volume-not"]


def write_hard_names(v):
    code = "import os,sys\nfor n in %r:\n  os.makedirs(os.path.join(b'%s', b'd', n + b'.d'[:255 - len(n)]), exist_ok=True) if len(n) < 250 else 0\n" \
           "  open(os.path.join(b'%s', n), 'wb').write(b'text of ' + n)\n" % (HARD_NAMES, volume.PREFIX, volume.PREFIX)
    done = v.run(["/usr/bin/python3", "-c", code])
    expect((done.returncode, done.stderr), (0, b""), "writing them")


@case("names of files that look like something else: file:// holds them under these names, and nothing beside its directory")
def _():
    with volume.Volume(UPLOAD_DELAY="0s") as v:
        outside = os.path.join(v.base, "outside")
        os.makedirs(os.path.join(outside, "store"))
        v.options["STORE_URL"] = f"file://{outside}/store"
        v.start()
        write_hard_names(v)
        v.ctl_ok("flush")
        expect(os.listdir(outside), ["store"], "beside the store")
        store = os.fsencode(os.path.join(outside, "store"))
        for name in HARD_NAMES:
            with open(os.path.join(store, name), "rb") as f:
                expect(f.read(), b"text of " + name, f"the object {name!r}")
        expect(sorted(set(os.listdir(store)) - set(HARD_NAMES)), [b".wbshim", b".wbshim-volume", b"d"], "what else there is")


@case("the same over S3: every request stays in bucket and prefix, on one line; over 1,024 bytes it is a dead letter")
def _():
    with odd_s3.OddS3() as server, volume.Volume(STORE_URL="s3://odd/p", UPLOAD_DELAY="0s") as v:
        v.extra = server.env()
        v.start()
        write_hard_names(v)
        v.ctl_ok("flush")
        for method, path, headers in server.requests:
            expect((path.startswith("/odd/p/"), "/../" in path or path.endswith("/.."), "X-Evil" in headers), (True, False, False), f"{method} {path}")
        expect(len([k for k in server.objects if "/d/" not in k and not k.endswith("wbshim-volume")]), len(HARD_NAMES), "objects")
        long = "/".join(["n" * 250] * 5)
        v.sh(f"mkdir -p $WBSHIM_PREFIX/{os.path.dirname(long)}; echo x > $WBSHIM_PREFIX/{long}")
        done = v.ctl("flush", timeout=60)
        expect(done.returncode, 1, "flush with a key that is too long")
        expect([d["class"] for d in json.loads(v.ctl("status", "--json").stdout)["dead"]], ["KeyTooLong"], "dead letters")


BAD_MEMBERS = ["../../etc/passwd", "/etc/passwd", "..", ".", "a/../b", "honest/..", "a//b", "/", "//", "a\0b", "x" * 5000, "", "./honest", "\xff/../\xff"]
SOUND = '{"gen":7,"owner":"%s","id":"1.2.3.4","state":"staged","since":1,"size":5,"mtime_ns":7,"boot":"x","target":"/etc/passwd"}'
BAD_RECORDS = ["", "{", "[]", "null", '"x"', "{}", '{"gen":1e999,"owner":"%s","id":"i"}', '{"gen":99999999999999999999999,"owner":"%s","id":"i","state":"staged"}',
               '{"gen":-1,"owner":"%s","id":"1.2.3.4","state":"staged"}', '{"gen":7,"owner":"%s","id":"' + "9" * 5000 + '","state":"staged"}',
               '{"gen":7,"owner":"%s","id":"1.2.3.4","t":"z","state":"staged"}', "[" * 5000, '{"gen":7,"owner":"%s","id":"1.2.3.4","state":"staged","size":18446744073709551615}',
               '{"gen":7,"owner":"%s","id":"1.2.3.4","t":"l","state":"staged","target":"../../../../etc/passwd"}', "\x00\xff\xfe\x01", '{"gen":7,"owner":{"a":[]},"id":7}', SOUND]


def hostile_left(v, client):
    with v.redis() as redis:
        return [m for key in ("due:" + client, "del", "settle") for m in redis("ZRANGE", v.key(key), 0, -1)
                if m.strip(b"/").startswith((b"..", b"a//")) or m.startswith(b"/")]


@case("hostile names and records in Redis: nothing outside is read, stored or deleted; the uploader goes on", 240)
def _():
    with volume.Volume(UPLOAD_DELAY="0s") as v:
        outside = os.path.join(v.base, "outside")
        os.makedirs(os.path.join(outside, "store"))
        victim = os.path.join(outside, "victim")
        for path in (victim, os.path.join(v.staging + ".victim")):
            with open(path, "w", encoding="ascii") as f:
                f.write("precious")
        v.options["STORE_URL"] = f"file://{outside}/store"
        v.start()
        v.sh("echo mine > $WBSHIM_PREFIX/honest; mkdir $WBSHIM_PREFIX/b")
        v.ctl_ok("flush")
        pid, client = v.uploader_pid(), open(os.path.join(v.staging, "client"), encoding="ascii").read().strip()
        dice = random.Random(20261127)
        with v.redis() as redis:
            for member in BAD_MEMBERS + ["../victim", "../../victim", "../store/honest"]:
                raw = member.encode("latin-1")
                redis("ZADD", v.key("due:" + client), 1, raw)
                redis("ZADD", v.key("del"), 1, raw)
                redis("ZADD", v.key("del"), 1, raw + b"/")
                redis("ZADD", v.key("settle"), 1, raw)
                redis("HSET", v.key("object"), raw, '{"busy":"x/y/z/0","etag":7,"gen":"a"}')
                redis("HSET", v.key("dead:" + client), raw, '{"class":7,"message":"' + "m" * 3000 + '","attempts":-1}')
                parent, _, name = raw.rpartition(b"/")
                redis("HSET", v.key("dir:").encode() + parent, name, (SOUND % client).encode())
            for i, record in enumerate(BAD_RECORDS):
                text = (record % client if "%s" in record else record).encode("latin-1")
                redis("HSET", v.key("dir:"), f"bad{i}", text)
                redis("ZADD", v.key("due:" + client), 1, f"bad{i}")
                redis("HSET", v.key("object"), f"bad{i}", text)
                redis("ZADD", v.key("del"), 1, f"bad{i}")
            for i in range(300):
                redis("HSET", v.key("dir:"), f"random{i}", bytes(dice.randrange(256) for _ in range(dice.randrange(200))))
                redis("ZADD", v.key("due:" + client), 1, f"random{i}")
            redis("HSET", v.key("meta"), "gen", "99999999999999999999")
        v.ctl("flush", "--timeout", "15s", timeout=60)
        v.ctl("status", timeout=60)
        v.ctl("ls", "-l", timeout=60)
        expect((process.alive(pid), ask(v, b"PING")[:3]), (True, b"OK "), "the uploader")
        wait.until(lambda: not hostile_left(v, client), 60, "the hostile names to go")
        with v.redis() as redis:
            redis("HDEL", v.key("meta"), "gen")
        for path in (victim, v.staging + ".victim"):
            with open(path, encoding="ascii") as f:
                expect(f.read(), "precious", "the victim")
        expect(sorted(os.listdir(outside)), ["store", "victim"], "beside the store")
        found = [f for _, _, files in os.walk(os.path.join(outside, "store")) for f in files]
        expect([f for f in found if f in ("passwd", "victim") or f.startswith(("bad", "random"))], [], "objects of nothing")
        v.sh("echo again > $WBSHIM_PREFIX/honest; echo new > $WBSHIM_PREFIX/new")
        wait.until(lambda: os.path.exists(os.path.join(outside, "store", "new")), 60, f"the next honest file; log:\n{v.log()}")
        expect_in("is no name of a file; it is removed", v.log(), "the log")


def endless(handler, text, times):
    handler.close_connection = True
    for _ in range(times):
        handler.wfile.write(text)
    return True


ETAG = hashlib.md5(b"x").hexdigest().encode()
ANSWERS = {
    "headers without end": lambda h: endless(h, b"X-More: " + b"m" * 4000 + b"\r\n", 100000) if h.wfile.write(b"HTTP/1.1 200 OK\r\n") else True,
    "a body without end": lambda h: endless(h, b"m" * 65536, 8000) if h.wfile.write(b"HTTP/1.1 200 OK\r\nETag: \"e\"\r\n\r\n") else True,
    "an error without end": lambda h: endless(h, b"<Error><Code>" + b"m" * 65536, 8000) if h.wfile.write(b"HTTP/1.1 403 No\r\n\r\n") else True,
    "no HTTP": lambda h: endless(h, b"\x00\xff\x80SSH-2.0\r\n", 10),
    "a status of its own": lambda h: endless(h, b"HTTP/1.1 99999999999 \x01\x02\r\nETag: \x00\r\n\r\n", 1),
    "interim answers without end": lambda h: endless(h, b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n", 100000),
    "XML that unfolds": lambda h: h.reply(403, b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"m" * 9000 + b'">]><Error><Code>&a;&a;</Code><Message>'
                                          + b"&#0;&#x110000;&lt;\x1b[31m" * 900 + b"</Message></Error>") or True,
    "a redirection": lambda h: h.reply(307, b"", Location="http://127.0.0.1:1/elsewhere") or True,
    "lengths that lie": lambda h: endless(h, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\nContent-Length: -1\r\nETag: \"" + ETAG + b"\"\r\n\r\n", 1),
    "header fields of control bytes": lambda h: endless(h, b"HTTP/1.1 403 \x1b[2J\r\nx-amz-request-id: \x1b]0;x\x07\x01\r\nContent-Length: 0\r\n\r\n", 1),
}


@case("a store that answers with anything: bounded in memory, one line each in the log, and it goes on afterwards", 400)
def _():
    with odd_s3.OddS3() as server, volume.Volume(STORE_URL="s3://odd/p", UPLOAD_DELAY="0s") as v:
        v.extra = server.env()
        v.start()
        pid = v.uploader_pid()
        for i, (what, answer) in enumerate(ANSWERS.items()):
            before = len(server.requests)
            server.answer = answer
            v.sh(f"echo {i} > $WBSHIM_PREFIX/f{i}")
            wait.until(lambda: len(server.requests) > before, 60, f"a request that meets {what}")
            expect(ask(v, b"PING", 60)[:3], b"OK ", f"the uploader, after {what}")
            server.answer = None
            v.ctl_ok("flush")
            expect((v.uploader_pid(), server.stored(f"f{i}")), (pid, b"%d\n" % i), f"the uploader and the object after {what}")
        expect(memory_kb(pid) < MOST_MEMORY_KB, True, f"its memory: {memory_kb(pid)} KiB")
        with open(os.path.join(v.staging, "run", "uploader.log"), "rb") as f:
            text = f.read()
        expect([hex(c) for c in set(text) if c < 32 and c != 10], [], "control bytes in the log")


def connect(v):
    s = socket.socket(socket.AF_UNIX)  # blocking until it is connected: one with a time-out does not wait for room
    s.connect(os.path.join(v.staging, "run", "uploader.sock"))
    s.settimeout(30)
    return s


@case("the socket: garbage, requests that are too long, slow ones, thousands of connections; others are answered all the same", 240)
def _():
    with volume.Volume() as v:
        v.start()
        pid, dice = v.uploader_pid(), random.Random(20261128)
        for size in (1, 100, 5000, 200000):
            with connect(v) as s:
                try:
                    s.sendall(bytes(dice.randrange(256) for _ in range(size)))
                except OSError:
                    pass  # it may close
        with connect(v) as s:
            s.sendall(b"x" * 4096 + b"y" * 100)
            expect(s.recv(100)[:9], b"ERR E2BIG", "a request that is too long")
        slow = [connect(v) for _ in range(700)]
        for s in slow[:300]:
            try:
                s.sendall(b"PI")
            except OSError:
                pass  # the oldest made room
        expect(ask(v, b"PING")[:3], b"OK ", "an answer beside 700 silent connections")
        v.ctl_ok("status")
        flood = 0
        for _ in range(3000):
            with connect(v):
                flood += 1
        expect((flood, ask(v, b"PING")[:3], v.uploader_pid()), (3000, b"OK ", pid), "an answer after 3,000 connections")
        v.sh("echo x > $WBSHIM_PREFIX/f")
        v.ctl_ok("flush")
        for s in slow:
            s.close()
        expect(memory_kb(pid) < MOST_MEMORY_KB, True, "its memory")


cases.main()
