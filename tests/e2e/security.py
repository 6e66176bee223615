#!/usr/bin/env python3
"""What others can see of the volume, and what somebody with a foot in the door can make of it: rights, symbolic links, secrets, TLS."""
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, odd_s3, ports, process, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402

NOBODY = pwd.getpwnam("nobody").pw_uid


def modes(v):
    """{path below the staging directory: mode} of everything but the tree and the store."""
    found = {".": stat.S_IMODE(os.lstat(v.staging).st_mode)}
    for directory, below, files in os.walk(v.staging):
        if directory == v.staging:
            below[:] = [b for b in below if b not in ("tree", "store", "redis")]
        for name in below + files:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, v.staging)] = stat.S_IMODE(os.lstat(path).st_mode)
    return found


@case("staging directory, run, journal and all in them: open to nobody else, whatever the umask")
def _():
    with volume.Volume(META="batch") as v:
        old = os.umask(0)
        try:
            v.sh("echo x > $WBSHIM_PREFIX/before")
            v.start()
            v.sh("echo x > $WBSHIM_PREFIX/f; cat $WBSHIM_PREFIX/.stats > /dev/null")
            v.ctl_ok("flush")
        finally:
            os.umask(old)
        found = modes(v)
        expect({p: oct(m) for p, m in found.items() if m & 0o77}, {}, "what is open to others")
        for path in ("run/uploader.sock", "run/redis.sock", "run/uploader.lock", "run/shared", "run/stats", "run/uploader.log", "client"):
            expect(path in found, True, f"{path} was looked at")


@case("a staging directory that others may write to: mended by the tools, refused by the library")
def _():
    with volume.Volume(LOG_FILE="/dev/stderr") as v:
        v.sh("echo x > $WBSHIM_PREFIX/f")
        for mode in (0o777, 0o770):
            os.chmod(v.staging, mode)
            done = v.run("echo y > $WBSHIM_PREFIX/g")
            expect(done.returncode != 0, True, "writing into it")
            expect_in(b"other users may write into the staging directory: chmod 700", done.stderr, "the library's log")
        os.chmod(os.path.join(v.staging, "run"), 0o777)
        v.options["LOG_FILE"] = None
        v.start()
        expect({p: oct(m) for p, m in modes(v).items() if m & 0o77}, {}, "what is open to others after start")
        v.sh("echo y > $WBSHIM_PREFIX/g")
        with volume.Volume() as other:
            os.makedirs(other.staging, mode=0o777)
            os.chmod(other.staging, 0o777)
            open(os.path.join(other.staging, "letter"), "w", encoding="ascii").close()
            cases.expect_one_line(other.ctl("start"), 2, "WBSHIM_STAGING_DIR", "it holds other things and is open to other users")


@case("a staging directory of another user: nothing of it is used, by library or tools")
def _():
    if os.getuid() != 0:
        return  # only root can make one; root's own run of the tests does
    with volume.Volume() as v:
        os.chmod(v.base, 0o755)
        logs = os.path.join(v.base, "logs")
        os.mkdir(logs)
        os.chmod(logs, 0o777)
        v.options["LOG_FILE"] = os.path.join(logs, "library.log")
        os.makedirs(v.staging, mode=0o700)
        here = os.listdir(v.staging)
        library = shutil.copy(build.LIBRARY, logs)  # nobody need not reach where it was built
        done = v.run("echo y > $WBSHIM_PREFIX/g", user=NOBODY, env={"LD_PRELOAD": library}, cwd="/")
        expect(done.returncode != 0, True, "nobody writes into root's")
        with open(v.options["LOG_FILE"], encoding="utf-8") as f:
            expect_in("the staging directory belongs to another user", f.read(), "the library's log")
        expect(os.listdir(v.staging), here, "what is in it")
        v.options["LOG_FILE"] = None
        os.chown(v.staging, NOBODY, -1)
        cases.expect_one_line(v.ctl("start"), 2, "WBSHIM_STAGING_DIR", f"it belongs to user {NOBODY}")
        os.chown(v.staging, 0, -1)
        os.mkdir(os.path.join(v.staging, "run"), 0o700)
        os.chown(os.path.join(v.staging, "run"), NOBODY, -1)
        cases.expect_one_line(v.ctl("start"), 2, "WBSHIM_STAGING_DIR", f"its 'run' belongs to user {NOBODY}")


LINKED = ["run/uploader.log", "run/uploader.pid", "run/uploader.lock", "run/stats", "run/shared", "run/tree", "run/redis.log",
          "run/redis.pid", "run/redis.lock", "run/uploader.sock", "run/redis.sock", "journal/current", "client", "epoch"]
for linked in LINKED:
    def planted(linked=linked):
        with volume.Volume() as v:
            v.start()
            v.sh("echo one > $WBSHIM_PREFIX/f")
            v.ctl_ok("stop", "--flush")
            victim, place = os.path.join(v.base, "victim"), os.path.join(v.staging, linked)
            kept = os.path.join(v.base, "kept")
            if linked == "client":  # without it nobody may go on
                os.rename(place, kept)
            for mode, target in ((0o644, victim), (0o600, os.path.join(v.base, "absent"))):
                with open(victim, "w", encoding="ascii") as f:
                    f.write("precious\n")
                os.chmod(victim, mode)
                if os.path.lexists(place):
                    os.unlink(place)
                os.symlink(target, place)
                program = v.run("echo two > $WBSHIM_PREFIX/f; cat $WBSHIM_PREFIX/.stats")
                expect(program.returncode in (0, 1), True, "the program ends by itself")
                started = v.ctl("start", timeout=60)
                if started.returncode:
                    expect(len(started.stderr.decode().splitlines()), 1, f"one line says why not: {started.stderr!r}")
                    os.unlink(place)
                    if os.path.exists(kept):
                        os.link(kept, place)
                    v.start()
                v.sh("echo three > $WBSHIM_PREFIX/f")
                v.ctl_ok("flush")
                v.ctl_ok("stop")
                with open(victim, encoding="ascii") as f:
                    expect((f.read(), stat.S_IMODE(os.stat(victim).st_mode)), ("precious\n", mode), "the victim")
                expect(os.path.lexists(os.path.join(v.base, "absent")), False, "a file made through the link")
                with open(os.path.join(v.staging, "store", "f"), encoding="ascii") as f:
                    expect(f.read(), "three\n", "the object")
    cases.add(f"{linked} is a symbolic link to somebody's file: not followed, and nothing is lost", planted, 240)


@case("run, journal or tree is a symbolic link to somebody's directory: refused")
def _():
    for part in ("run", "journal", "tree"):
        with volume.Volume() as v:
            os.makedirs(v.staging, mode=0o700)
            victim = os.path.join(v.base, "victim")
            os.mkdir(victim, 0o755)
            os.symlink(victim, os.path.join(v.staging, part))
            done = v.ctl("start", timeout=60)
            cases.expect_one_line(done, 2, "WBSHIM_STAGING_DIR", f"its '{part}' is no directory of its own")
            expect((os.listdir(victim), stat.S_IMODE(os.stat(victim).st_mode)), ([], 0o755), "the victim")


@case("directories that turn into symbolic links while they are uploaded: nothing from outside is ever stored")
def _():
    with volume.Volume(UPLOAD_DELAY="0s") as v:
        victim, tree = os.path.join(v.base, "victim"), v.tree
        os.mkdir(victim)
        v.start()
        v.sh("mkdir $WBSHIM_PREFIX/d $WBSHIM_PREFIX/d/sub")
        for name in range(20):
            os.makedirs(os.path.join(victim, "sub"), exist_ok=True)
            for place in ("", "sub/"):
                with open(os.path.join(victim, f"{place}{name}"), "w", encoding="ascii") as f:
                    f.write("PRECIOUS")
        stop = threading.Event()

        def swap():
            link, real, kept = os.path.join(tree, "link"), os.path.join(tree, "d"), os.path.join(v.base, "kept")
            while not stop.is_set():
                os.symlink(victim, link)
                os.rename(real, kept)
                os.rename(link, real)
                os.unlink(real)
                os.rename(kept, real)
        swapper = threading.Thread(target=swap)
        swapper.start()
        try:
            for _ in range(15):
                v.run("for i in $(seq 0 19); do echo mine > $WBSHIM_PREFIX/d/$i; echo mine > $WBSHIM_PREFIX/d/sub/$i; done; true", 60)
        finally:
            stop.set()
            swapper.join()
        expect(precious_objects(v), b"", "objects with bytes from outside")
        v.sh("for i in $(seq 0 19); do echo last > $WBSHIM_PREFIX/d/$i; done")
        v.ctl_ok("flush")
        with open(os.path.join(v.staging, "store", "d", "7"), encoding="ascii") as f:
            expect(f.read(), "last\n", "the object afterwards")


def precious_objects(v):
    return subprocess.run(["grep", "-rl", "PRECIOUS", os.path.join(v.staging, "store")], capture_output=True, check=False).stdout


@case("a record that describes somebody's file to the last nanosecond, behind a link to its directory: not read")
def _():
    with volume.Volume(UPLOAD_DELAY="0s") as v:
        v.start()
        v.sh("mkdir $WBSHIM_PREFIX/d; echo mine > $WBSHIM_PREFIX/d/f")
        v.ctl_ok("flush")
        victim = os.path.join(v.base, "victim")
        os.mkdir(victim)
        with open(os.path.join(victim, "secret"), "w", encoding="ascii") as f:
            f.write("PRECIOUS")
        st = os.stat(os.path.join(victim, "secret"))
        with open(os.path.join(v.staging, "client"), encoding="ascii") as f:
            client = f.read().strip()
        record = '{"gen":7,"owner":"%s","id":"%d.%d.%d.%d","state":"staged","since":1,"size":8,"mtime_ns":%d,"boot":"00000000"}' % (
            client, st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns, st.st_mtime_ns)
        os.rename(os.path.join(v.tree, "d"), os.path.join(v.base, "kept"))
        os.symlink(victim, os.path.join(v.tree, "d"))
        with v.redis() as redis:
            redis("HSET", v.key("dir:d"), "secret", record)
            redis("ZADD", v.key("due:" + client), 1, "d/secret")
        v.ctl("flush", "--timeout", "10s", timeout=60)
        expect((precious_objects(v), process.alive(v.uploader_pid())), (b"", True), "objects with bytes from outside; the uploader")


SECRETS = ["sesame-redis", "sesame-store", "sesame-token", "sesame-proxy"]


def shown(what, text):
    expect([s for s in SECRETS if s in text], [], f"secrets in {what}: {text[-1500:]}")


def look_everywhere(v, metrics):
    """Every text that tools give away."""
    for command in (["status"], ["status", "--json"], ["config"], ["config", "--json"], ["doctor"], ["doctor", "--json"], ["env"], ["ls", "-l"],
                    ["flush", "--timeout", "1s"]):
        done = v.ctl(*command, timeout=60)
        shown("shim-ctl " + " ".join(command), (done.stdout + done.stderr).decode(errors="replace"))
    shown("the log", v.log())
    with open(os.path.join(v.staging, "run", "stats"), encoding="utf-8") as f:
        shown("the stats", f.read())
    pid = v.uploader_pid()
    if pid:
        shown("the metrics", urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10).read().decode())
        for name in ("environ", "cmdline", "status", "limits"):
            with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as f:
                text = f.read()
            shown(f"/proc/PID/{name}", text)
            if name == "limits":
                expect(re.findall(r"Max core file size\s+(\d+)", text), ["0"], "the core file's limit")


def secret_redis(v, port):
    server = process.start(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--requirepass", SECRETS[0], "--save", "", "--dir", v.base])
    wait.until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 60, "redis-server")
    return server


@case("no secret in logs, status, configuration, doctor, metrics, environment or command line, in good times and bad", 240)
def _():
    port, metrics = ports.free(), ports.free()
    with odd_s3.OddS3() as store, volume.Volume(REDIS_URL=f"redis://:{SECRETS[0]}@127.0.0.1:{port}/0", STORE_URL="s3://odd/p", LOG="debug",
                                                UPLOAD_DELAY="0s", METRICS=f"127.0.0.1:{metrics}") as v:
        v.extra = dict(store.env(SECRETS[1]), AWS_SESSION_TOKEN=SECRETS[2])
        server = secret_redis(v, port)
        try:
            v.start()
            v.sh("echo x > $WBSHIM_PREFIX/f")
            v.ctl_ok("flush")
            expect(store.stored("f"), b"x\n", "the object: the secrets are still known to the uploader")
            look_everywhere(v, metrics)
            store.answer = lambda handler: handler.reply(403, b"<Error><Code>AccessDenied</Code><Message>" + repr(
                dict(handler.headers)).encode() + " ".join(SECRETS[1:3]).encode() + b"</Message></Error>") or True
            v.sh("echo y > $WBSHIM_PREFIX/g")
            wait.until(lambda: "AccessDenied" in v.log(), 60, "the refusal in the log")
            look_everywhere(v, metrics)
            process.stop(server)
            wait.until(lambda: "Redis is away" in v.log(), 60, "Redis' end in the log")
            look_everywhere(v, metrics)
        finally:
            process.stop(server)


@case("no secret in the line that refuses a start: Redis, store, proxy, a damaged file, the uploader's own command line")
def _():
    rows = [({"REDIS_URL": "redis://u:sesame-redis@127.0.0.1:1/0"}, {}, None), ({"REDIS_URL": "rediss://:sesame-redis@h"}, {}, None),
            ({"REDIS_URL": "redis://h/0?password=sesame-redis"}, {}, None), ({"STORE_URL": "s3://k:sesame-store@bucket/p"}, {}, None),
            ({"STORE_URL": "http://k:sesame-store@bucket/p"}, {}, None), ({}, {}, "redis_url redis://:sesame-redis@h:1\n"),
            ({}, {}, "redis://:sesame-redis@h:1 = x\n"), ({}, {}, "redis_url = redis://:sesame-redis@h:x\n"),
            ({"STORE_URL": "s3://odd/p"}, {"AWS_ENDPOINT_URL_S3": "http://k:sesame-store@h"}, None)]
    rows += [({"STORE_URL": "s3://odd/p"}, {"AWS_ENDPOINT_URL_S3": "http://192.0.2.1:1", "http_proxy": proxy}, None)
             for proxy in ("odd://u:sesame-proxy@127.0.0.1:1", "http://u:sesame-proxy@127.0.0.1:x", "http://u:sesame-proxy@127.0.0.1:1")]
    for options, extra, file in rows:
        with volume.Volume(**options) as v:
            v.extra = dict({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRETS[1]}, **extra)
            if file:
                v.configure(file)
            done = v.ctl("start", timeout=60)
            expect(done.returncode, 2, f"exit status with {options} {extra} {file}; {done.stderr}")
            shown(f"the line about {options} {extra} {file}", (done.stdout + done.stderr).decode())
            shown("the log", v.log())
    with volume.Volume() as v:
        v.start_redis()
        port = ports.free()
        server = secret_redis(v, port)
        child = process.start([build.UPLOADER, f"--redis-url=redis://:{SECRETS[0]}@127.0.0.1:{port}/0", "--volume", "by-hand"], env=v.tool_env())
        try:
            wait.until(lambda: v.uploader_pid() == child.pid, 60, "the uploader")
            with open(f"/proc/{child.pid}/cmdline", encoding="utf-8") as f:
                text = f.read()
            shown("its command line", text)
            expect_in("by-hand", text, "the rest of its command line")
        finally:
            process.stop(child, 20)
            process.stop(server)


@case("env gives a password to a shell, not to a terminal, nor to a shell that has it")
def _():
    url = f"redis://:{SECRETS[0]}@127.0.0.1:1/0"
    with volume.Volume(REDIS_URL=url) as v:
        shown("env, from the environment", v.ctl_ok("env"))
        del v.options["REDIS_URL"]
        v.configure(f"redis_url = {url}\n")
        expect_in(SECRETS[0], v.ctl_ok("env"), "what a shell gets")
        master, slave = os.openpty()
        try:
            done = process.run([build.SHIM_CTL, "env"], 60, env=v.tool_env(), stdout=slave)
            os.close(slave)
            text = os.read(master, 65536).decode()
        finally:
            os.close(master)
        expect(done.returncode, 0, "exit status")
        shown("a terminal", text)
        expect_in("WBSHIM_REDIS_URL holds a password", text, "the terminal")


@case("a server whose certificate nobody vouches for is refused; AWS_CA_BUNDLE vouches for it")
def _():
    with volume.Volume(STORE_URL="s3://odd/p", UPLOAD_DELAY="0s") as v:
        cert = odd_s3.certificate(v.base)
        with odd_s3.OddS3(cert) as server:
            v.extra = server.env()
            cases.expect_one_line(v.ctl("start", timeout=60), 2, "WBSHIM_STORE_URL", "certificate", "AWS_CA_BUNDLE")
            expect(server.requests, [], "requests that got through")
            v.extra["AWS_CA_BUNDLE"] = cert
            v.start()
            v.sh("echo x > $WBSHIM_PREFIX/f")
            v.ctl_ok("flush")
            expect(server.stored("f"), b"x\n", "the object")


cases.main()
