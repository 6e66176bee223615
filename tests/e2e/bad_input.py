#!/usr/bin/env python3
"""Bad configuration: shim-ctl start ends with 2 and one line that names option, value (secrets hidden), origin and the mend."""
import contextlib
import os
import pwd
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, ports, process, s3, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402


def refused(v, names, never=(), command=("start",), status=2):
    """The command must end with that status and one line on stderr that holds every one of the names."""
    done = v.ctl(*command, timeout=60)
    cases.expect_one_line(done, status, *names)
    for secret in never:
        expect(secret in done.stderr.decode() + done.stdout.decode(), False, f"{secret!r} is shown")


WRONG_VALUES = [("UPLOAD_DELAY", "soon"), ("UPLOAD_DELAY", "-1s"), ("WRITEBACK_MAX_SIZE", "big"), ("META", "maybe"), ("MAX_UPLOADS", "0"),
                ("MAX_UPLOADS", "many"), ("VOLUME", "a b"), ("VOLUME", ""), ("PREFIX", "relative"), ("STAGING_DIR", "relative"), ("LOG", "loud"),
                ("REDIS_URL", "http://x"), ("REDIS_URL", "foo"), ("STORE_URL", "foo"), ("STORE_URL", "ftp://x/y"), ("STORE_URL", "s3://"), ("METRICS", "nonsense"), ("DISABLE", "perhaps"),
                ("S3_ADDRESSING", "sideways"), ("UPLOAD_DEADLINE", "1x")]
for name, value in WRONG_VALUES:
    def wrong(name=name, value=value):
        with volume.Volume(**{name: value}) as v:
            refused(v, ["WBSHIM_" + name, "environment"] + ([value] if value else []))
    cases.add(f"WBSHIM_{name}={value!r}", wrong)

LATER = [("COHERENCE", "shared"), ("META_PRIME", "1"), ("READ_WAIT", "1s"), ("CACHE_SIZE", "1G")]
for name, value in LATER:
    def later(name=name, value=value):
        with volume.Volume(**{name: value}) as v:
            refused(v, ["WBSHIM_" + name, value])
    cases.add(f"not there yet: WBSHIM_{name}={value}", later)


@case("an unknown option: in the environment, in the file, as a flag")
def _():
    with volume.Volume(UPLOAD_DELY="5m") as v:
        refused(v, ["WBSHIM_UPLOAD_DELY"])
    with volume.Volume() as v:
        path = v.configure("upload_dely = 5m\n")
        refused(v, ["upload_dely", path])
    with volume.Volume() as v:
        done = v.ctl("start", "--upload-dely", "5m")
        expect(done.returncode, 2, "a flag")


@case("a value in the file: the line names the file; the environment wins over it")
def _():
    with volume.Volume() as v:
        path = v.configure("# comment\nupload_delay = whenever\n")
        refused(v, ["whenever", path])
        v.options["UPLOAD_DELAY"] = "5m"
        v.start()


@case("Redis unreachable, and a wrong password: never shown")
def _():
    port = ports.free()
    with volume.Volume(REDIS_URL=f"redis://u:sesame@127.0.0.1:{port}/0") as v:
        mend = "is it running, and is the URL right?"
        refused(v, ["WBSHIM_REDIS_URL is", "(environment", f"127.0.0.1:{port}", mend], never=["sesame"])
        done = process.run([build.UPLOADER], 60, env=v.tool_env())
        cases.expect_one_line(done, 2, "WBSHIM_REDIS_URL is", "(environment", mend)
    with volume.Volume() as v:
        port = ports.free()
        server = process.start(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--requirepass", "right", "--save", "",
                                "--dir", v.base])
        try:
            import socket
            wait.until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 60, "redis-server")
            v.options["REDIS_URL"] = f"redis://:sesame@127.0.0.1:{port}/0"
            refused(v, ["WBSHIM_REDIS_URL is", "(environment", "put the right user and password into the URL"], never=["sesame"])
            v.options["REDIS_URL"] = f"redis://:right@127.0.0.1:{port}/0"
            v.start()
        finally:
            v.stop_uploader()
            process.stop(server)


@contextlib.contextmanager
def own_redis():
    """A volume whose Redis is not the private one, so that nobody starts it again."""
    with volume.Volume() as v:
        os.mkdir(v.staging, 0o700)
        v.socket = os.path.join(v.base, "redis.sock")
        v.options["REDIS_URL"] = "unix://" + v.socket
        v.start_redis()
        yield v


@case("start with an uploader that has lost its Redis, or its store: 2, and the one line")
def _():
    with own_redis() as v:
        v.start()
        v.start()  # all is well: it says nothing
        v.kill_redis()
        wait.until(lambda: v.ctl("start").returncode == 2, what="start to notice")
        refused(v, ["WBSHIM_REDIS_URL is", "the uploader runs, and has no Redis"])


@case("flush without Redis: says so, with the mend, and that the journal holds changes")
def _():
    with own_redis() as v:
        v.start()
        v.kill_redis()
        v.sh("echo x > $WBSHIM_PREFIX/later")
        done = v.ctl("flush", "--timeout", "2s")
        expect(done.returncode, 124, "exit status")
        said = done.stderr.decode()
        for words in ("WBSHIM_REDIS_URL is", "Redis does not answer", "is the URL right?", "only the journal knows"):
            expect(words in said, True, f"{words!r} in {said!r}")


@case("the library names every mistake with value and mend, wherever the log file stands, and goes on")
def _():
    with volume.Volume() as v:
        v.start_redis()
        log = os.path.join(v.base, "log")
        for wrong, words in (({"META": "maybe"}, ["WBSHIM_META is 'maybe'", "sync or batch", "default is used"]),
                             ({"PREFIX": "relative"}, ["WBSHIM_PREFIX is 'relative'", "an absolute path", "stays inert"]),
                             ({"UPLOAD_DELY": "5m"}, ["WBSHIM_UPLOAD_DELY", "there is no such option"]),
                             ({"PREFIX": v.staging}, ["WBSHIM_PREFIX", "choose two apart", "stays inert"])):
            env = {"WBSHIM_" + k: x for k, x in wrong.items()}
            env["WBSHIM_LOG_FILE"] = log
            done = v.run(["/bin/echo", "hello"], env=env)
            expect((done.returncode, done.stdout, done.stderr), (0, b"hello\n", b""), "the program")
            with open(log, encoding="utf-8") as f:
                said = f.read()
            for word in words:
                expect(word in said, True, f"{word!r} in {said!r}")
            os.remove(log)


@case("store: wrong secret, unknown key, missing bucket, nobody there, no credentials")
def _():
    with s3.Server("radosgw") as server:
        server.client.create_bucket(Bucket="there")
        good = server.env()
        rows = [("s3://there/p", dict(good, AWS_SECRET_ACCESS_KEY="sesame"), ["s3://there/p", "AWS_SECRET_ACCESS_KEY"]),
                ("s3://there/p", dict(good, AWS_ACCESS_KEY_ID="nobody"), ["s3://there/p", "AWS_ACCESS_KEY_ID"]),
                ("s3://missing/p", good, ["WBSHIM_STORE_URL", "missing"]),
                ("s3://there/p", dict(good, AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{ports.free()}"), ["127.0.0.1"]),
                ("s3://there/p", {"AWS_ENDPOINT_URL_S3": server.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}, ["AWS_ACCESS_KEY_ID"])]
        for url, env, names in rows:
            with volume.Volume(STORE_URL=url) as v:
                v.extra = env
                refused(v, names, never=["sesame", server.secret])
        with volume.Volume(STORE_URL="s3://there/p") as v:
            v.extra = good
            v.start()


@case("prefix and staging directory inside each other")
def _():
    for prefix, staging in (("/x/wb", "/x/wb"), ("/x/wb/in", "/x/wb"), ("/x/wb", "/x/wb/in")):
        with volume.Volume() as v:
            v.options["PREFIX"], v.options["STAGING_DIR"] = v.base + prefix, v.base + staging
            refused(v, ["WBSHIM_PREFIX", "WBSHIM_STAGING_DIR"])


@case("a staging directory of another user, or one that cannot be made")
def _():
    with volume.Volume() as v:
        os.makedirs(v.staging, mode=0o700)
        if os.getuid() == 0:
            os.chown(v.staging, pwd.getpwnam("nobody").pw_uid, -1)
            refused(v, ["WBSHIM_STAGING_DIR", v.staging])
            os.chown(v.staging, 0, -1)
        v.options["STAGING_DIR"] = "/proc/nowhere/staging"
        refused(v, ["WBSHIM_STAGING_DIR", "/proc/nowhere/staging"])


@case("an address without a scheme: the line says which ones there are")
def _():
    for name, kinds in (("REDIS_URL", ["redis://", "unix://"]), ("STORE_URL", ["s3://", "file:///"])):
        with volume.Volume(**{name: "foo"}) as v:
            refused(v, [f"WBSHIM_{name} is 'foo' (environment WBSHIM_{name}): expected", *kinds])


@case("a log file or a store's directory that cannot be made")
def _():
    for name, value in (("LOG_FILE", "/proc/nowhere/log"), ("STORE_URL", "file:///proc/nowhere")):
        with volume.Volume(**{name: value}) as v:
            refused(v, [f"WBSHIM_{name} is '{value}' (environment WBSHIM_{name}): cannot ", "No such file or directory; "])


@case("Redis that may evict is refused")
def _():
    with volume.Volume() as v:
        v.start_redis()
        with v.redis() as redis:
            redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        refused(v, ["maxmemory-policy"])


@case("wrong usage: unknown command, no command, run without one")
def _():
    with volume.Volume() as v:
        for args in (["nonsense"], [], ["run"], ["flush", "--nonsense"], ["cat"]):
            expect(v.ctl(*args).returncode, 2, f"exit status of {args}")


@case("flush --timeout passes: 124, and what is left is named")
def _():
    with volume.Volume(STORE_URL="s3://there/p", UPLOAD_DELAY="1h") as v:
        with s3.Server("radosgw") as server:
            server.client.create_bucket(Bucket="there")
            v.extra = server.env()
            v.start()
            v.sh("echo x > $WBSHIM_PREFIX/left-over")
            server.stop()
            done = v.ctl("flush", "--timeout", "2s", timeout=30)
            expect(done.returncode, 124, f"exit status; {done.stderr!r}")
            cases.expect_in("left-over", done.stderr.decode() + done.stdout.decode(), "what is left")


cases.main()
