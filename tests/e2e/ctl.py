#!/usr/bin/env python3
"""shim-ctl's daemons: started once, stopped whole, found again after a crash, and free of their starter."""
import json
import os
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, volume, wait  # noqa: E402
from lib.cases import case, expect, expect_in, expect_one_line  # noqa: E402


def pids(v):
    return v.uploader_pid(), v.redis_pid()


@case("start is idempotent, quick when all runs; stop ends both and says so")
def _():
    with volume.Volume() as v:
        v.start()
        first = pids(v)
        expect(None in first, False, f"both run: {first}")
        begin = time.monotonic()
        for _ in range(5):
            v.start()
        expect(pids(v), first, "the processes after five more starts")
        expect(time.monotonic() - begin < 5, True, "five starts within 5 s")
        expect_in("stopped", v.ctl_ok("stop"), "stop")
        expect(pids(v), (None, None), "processes after stop")
        expect_in("nothing was running", v.ctl_ok("stop"), "a second stop")


@case("stop without a staging directory makes none")
def _():
    with volume.Volume() as v:
        v.ctl_ok("stop")
        expect(os.path.exists(v.staging), False, "a staging directory")


@case("many starts at once: one uploader, one Redis")
def _():
    with volume.Volume() as v:
        children = [subprocess.Popen([build.SHIM_CTL, "start"], env=v.tool_env(), stderr=subprocess.PIPE) for _ in range(8)]
        ends = [(c.communicate(timeout=60)[1], c.returncode) for c in children]
        expect({code for _, code in ends}, {0}, f"exit statuses; {ends}")
        mine = [command for command in process.children().values() if "redis-server" in command or "wbshim-uploader" in command]
        expect(len(mine), 2, f"daemons: {mine}")


@case("staging directory: made with mode 0700, and closed when it was open")
def _():
    with volume.Volume() as v:
        os.makedirs(v.staging, mode=0o755)
        v.start()
        expect(stat.S_IMODE(os.stat(v.staging).st_mode), 0o700, "mode")
    with volume.Volume() as v:
        os.makedirs(v.staging, mode=0o755)
        with open(os.path.join(v.staging, "letter"), "w", encoding="ascii") as f:
            f.write("private\n")
        expect_one_line(v.ctl("start"), 2, "WBSHIM_STAGING_DIR", "holds other things")
        expect(stat.S_IMODE(os.stat(v.staging).st_mode), 0o755, "mode of a directory that was refused")


@case("the daemons have nothing of their starter: library, descriptors, terminal, directory, session")
def _():
    with volume.Volume() as v:
        with open(os.path.join(v.base, "held"), "w", encoding="ascii") as held:
            os.set_inheritable(held.fileno(), True)
            done = process.run([build.SHIM_CTL, "start"], 60, env=dict(v.tool_env(), LD_PRELOAD=build.LIBRARY), cwd=v.base, close_fds=False)
        expect((done.returncode, done.stderr), (0, b""), "start under the library")
        for pid in pids(v):
            with open(f"/proc/{pid}/environ", "rb") as f:
                expect(b"LD_PRELOAD" in f.read(), False, "LD_PRELOAD in its environment")
            with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as f:
                expect("libwbshim" in f.read(), False, "the library in its memory")
            files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            expect([f for f in files if f.endswith("/held")], [], "a file of the starter")
            expect(os.getsid(pid) != os.getsid(0), True, "a session of its own")
            expect(os.readlink(f"/proc/{pid}/cwd").startswith(v.staging), True, "its directory")
            for fd in (0, 1, 2):
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                expect(target == "/dev/null" or target.startswith(v.staging), True, f"descriptor {fd}: {target}")


@case("after kill -9 of either, start brings it back; Redis keeps its data")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("echo x > $WBSHIM_PREFIX/f")
        v.kill_uploader()
        v.start()
        redis = v.redis_pid()
        os.kill(redis, signal.SIGKILL)
        process.wait_gone(redis)
        v.start()
        expect(sorted(v.records()), ["f"], "records after Redis came back")
        v.ctl_ok("stop")
        v.start()
        expect(sorted(v.records()), ["f"], "records after stop and start")
        expect([e["name"] for e in v.ctl_json("ls")["entries"]], ["f"], "ls")


@case("a stuck uploader is named by status and ended by stop")
def _():
    with volume.Volume() as v:
        v.start()
        pid = v.uploader_pid()
        os.kill(pid, signal.SIGSTOP)
        child = subprocess.Popen([build.SHIM_CTL, "stop"], env=v.tool_env(), stdout=subprocess.DEVNULL)
        wait.until(lambda: child.poll() is None, 5, "stop to wait")
        os.kill(pid, signal.SIGCONT)
        expect(child.wait(60), 0, "stop's exit status")
        expect(pids(v), (None, None), "processes")


@case("a Redis of somebody else's on the default socket is used, and left alone by stop")
def _():
    with volume.Volume() as v:
        v.start_redis()
        v.start()
        expect(v.redis_pid(), None, "a Redis of shim-ctl's")
        v.ctl_ok("stop")
        with v.redis() as redis:
            expect(redis("PING"), b"PONG", "the other Redis")


@case("stop tells what still waits; stop --flush stores it first")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("echo x > $WBSHIM_PREFIX/f; echo y > $WBSHIM_PREFIX/g")
        expect_in("2 entries", v.ctl_ok("stop"), "stop")
        v.start()
        expect_in("stopped\n", v.ctl_ok("stop", "--flush"), "stop --flush")
        expect(sorted(n for n in os.listdir(os.path.join(v.staging, "store")) if not n.startswith(".")), ["f", "g"], "objects")


@case("a failed start leaves nothing behind")
def _():
    with volume.Volume(STORE_URL="s3://bucket/p") as v:
        v.extra = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED": "true"}
        done = v.ctl("start")
        expect(done.returncode, 2, f"exit status; {done.stderr!r}")
        expect(pids(v), (None, None), "processes")


@case("a second command with another prefix, store or volume is refused, not misunderstood")
def _():
    with volume.Volume() as v:
        v.start()
        for flags in (("--prefix", "/proc/other"), ("--store-url", "file:///tmp/elsewhere"), ("--volume", "other")):
            for command in ("start", "flush"):
                expect_one_line(v.ctl(command, *flags), 2, "WBSHIM_" + flags[0][2:].upper().replace("-", "_"), flags[1], "shim-ctl stop")


@case("options reach the uploader with their origin; a password is on nobody's command line")
def _():
    with volume.Volume(REDIS_URL=None, UPLOAD_DELAY=None) as v:
        expect_one_line(v.ctl("start", "--upload-delay", "soon"), 2, "WBSHIM_UPLOAD_DELAY", "'soon'", "flag --upload-delay")
        v.start_redis()
        with v.redis() as redis:
            redis("ACL", "SETUSER", "u", "on", ">sesame", "~*", "+@all")
        port = None
        with v.redis() as redis:
            from lib import ports
            port = ports.free()
            redis("CONFIG", "SET", "port", str(port))
        expect(v.ctl("start", "--redis-url", f"redis://u:sesame@127.0.0.1:{port}/0", "--max-uploads", "3").returncode, 0, "start")
        with open(f"/proc/{v.uploader_pid()}/cmdline", "rb") as f:
            line = f.read()
        expect((b"sesame" in line, b"--max-uploads=3" in line), (False, True), f"its command line {line!r}")


@case("a staging path far longer than a socket's address holds")
def _():
    with volume.Volume() as v:
        v.staging = os.path.join(v.base, "s" * 150, "t" * 120)
        v.options["STAGING_DIR"] = v.staging
        v.start()
        done = v.ctl("run", "--flush", "--", "/bin/sh", "-c", "echo far > $WBSHIM_PREFIX/f")
        expect(done.returncode, 0, f"run --flush; {done.stderr!r}")
        expect(v.ctl_ok("cat", "f"), "far\n", "cat")
        expect(v.ctl_json("status")["ok"], True, "status")
        v.ctl_ok("stop")
        expect(pids(v), (None, None), "processes")


@case("flush of an empty volume: 0, one document, started from nothing")
def _():
    with volume.Volume() as v:
        done = v.ctl("flush", "--json")
        expect(done.returncode, 0, f"exit status; {done.stderr!r}")
        document = json.loads(done.stdout)
        expect((document["ok"], document["left"], document["timed_out"]), (True, [], False), "the document")
        expect(v.ctl("flush", "--timeout", "10s").returncode, 0, "again")


@case("flush and status count alike: files, directories and links are entries")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh(f"cd {volume.PREFIX}; mkdir d empty; echo 1 > d/f; echo 22 > g; ln -s g l")
        staged = v.ctl_json("status")["staged"]
        expect((staged["files"], staged["bytes"]), (2, 5), f"what waits: {staged}")
        flushed = v.ctl_json("flush")
        expect((flushed["entries"], flushed["bytes"]), (staged["entries"], 5), f"what was flushed: {flushed}")


@case("status: one document in every state")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        expect(v.ctl_json("status")["ok"], True, "before anything")
        v.start()
        v.sh("echo 12345 > $WBSHIM_PREFIX/f; mkdir $WBSHIM_PREFIX/d")
        document = v.ctl_json("status")
        expect((document["uploader"]["running"], document["redis"]["reachable"], document["redis"]["private"]), (True, True, True), "what runs")
        expect((document["staged"]["files"], document["staged"]["bytes"]), (1, 6), "what waits")
        expect(v.ctl("status").returncode, 0, "for people")
        v.kill_uploader()
        document = v.ctl_json("status")
        expect((document["uploader"]["running"], document["staged"]["files"]), (False, 1), "without the uploader")


@case("a dead letter: named by status with its reason, exit 1; gone when it is mended")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("echo x > $WBSHIM_PREFIX/bad")
        with v.redis() as redis:
            client = redis.keys(v.key("due:*"))[0].rsplit(b":", 1)[1].decode()
            redis("HSET", v.key("dead:" + client), "bad\x1b", json.dumps({"class": "AccessDenied", "message": "no\nway", "attempts": 3, "time": 1}))
        done = v.ctl("status")
        expect(done.returncode, 1, "exit status")
        expect_in("bad\\x1b: AccessDenied: no\\nway (3 attempts)", done.stdout.decode(), "the screen")
        document = json.loads(v.ctl("status", "--json").stdout)
        expect((document["ok"], document["dead"][0]["class"]), (False, "AccessDenied"), "the document")


@case("run: signals reach the command, its status comes back")
def _():
    with volume.Volume() as v:
        v.start()
        script = "trap 'echo term; exit 3' TERM; trap 'echo int; exit 4' INT; echo ready; while :; do read x < /dev/tty || sleep 0.05; done 2>/dev/null"
        for number, status, word in ((signal.SIGTERM, 3, b"term"), (signal.SIGINT, 4, b"int")):
            child = subprocess.Popen([build.SHIM_CTL, "run", "--", "/bin/bash", "-c", script], env=v.tool_env(), stdout=subprocess.PIPE,
                                     start_new_session=True)
            expect(child.stdout.readline(), b"ready\n", "the command")
            child.send_signal(number)
            expect((child.stdout.read().strip(), child.wait(30)), (word, status), f"signal {number}")
            child.stdout.close()
        for script, status in (("exit 0", 0), ("exit 200", 200), ("kill -TERM $$", 143)):
            expect(v.ctl("run", "--", "/bin/sh", "-c", script).returncode, status, script)


@case("run: a command that lives under the prefix, by path and by PATH; options after the command are its own")
def _():
    with volume.Volume() as v:
        v.start()
        v.sh("mkdir $WBSHIM_PREFIX/bin; printf '#!/bin/sh\\necho \"$0\" \"$@\"\\n' > $WBSHIM_PREFIX/bin/tool; chmod +x $WBSHIM_PREFIX/bin/tool")
        expect(v.ctl_ok("run", "--", volume.PREFIX + "/bin/tool", "--flush", "a b"), f"{volume.PREFIX}/bin/tool --flush a b\n", "by path")
        done = v.ctl("run", "tool", "--json", "x", env={"PATH": volume.PREFIX + "/bin:/usr/bin:/bin"})
        expect((done.returncode, done.stdout), (0, f"{volume.PREFIX}/bin/tool --json x\n".encode()), f"by PATH; {done.stderr!r}")
        expect_one_line(v.ctl("run", "--", "/nowhere/tool"), 127, "/nowhere/tool")


@case("env: quoted for a shell, other preloads kept, no exports of plain defaults")
def _():
    with volume.Volume() as v:
        v.options["LOG_FILE"] = v.base + "/it's a $log"
        text = v.ctl("env", env={"LD_PRELOAD": "/nowhere/other.so"}).stdout.decode()
        expect_in(f"export LD_PRELOAD={build.LIBRARY}:/nowhere/other.so\n", text, "env")
        done = process.run(["/bin/sh", "-c", "unset LD_PRELOAD; " + text.replace("export LD_PRELOAD", "PRELOAD") + 'echo "$WBSHIM_LOG_FILE"'],
                           20, env={"PATH": "/usr/bin:/bin"})
        expect(done.stdout.decode(), v.base + "/it's a $log\n", "the value in the shell")
        expect("WBSHIM_CACHE_SIZE" in text, False, "a plain default")


@case("config names the origin of every value")
def _():
    with volume.Volume() as v:
        path = v.configure("# mine\nupload_delay = 7m\n")
        rows = {o["name"]: o for o in json.loads(v.ctl_ok("config", "--json", "--upload-deadline", "9h"))["options"]}
        expect((rows["WBSHIM_UPLOAD_DELAY"]["value"], rows["WBSHIM_UPLOAD_DELAY"]["where"]), ("7m", f"file {path}:2"), "from the file")
        expect((rows["WBSHIM_UPLOAD_DEADLINE"]["value"], rows["WBSHIM_UPLOAD_DEADLINE"]["origin"]), ("9h", "flag"), "from the flag")
        expect((rows["WBSHIM_PREFIX"]["origin"], rows["WBSHIM_MAX_UPLOADS"]["origin"]), ("environment", "default"), "others")
        for line in v.ctl_ok("config").splitlines():
            expect(line.startswith("WBSHIM_"), True, f"a row: {line!r}")


@case("ls -l and cat: links, odd names, what is no file")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir d; echo one > d/f; chmod 750 d/f; ln -s f d/l; touch $'d/\\e[31m'")
        lines = v.ctl_ok("ls", "-l", "d").splitlines()
        expect(len(lines), 3, f"lines {lines}")
        expect_in("\\x1b[31m", lines[0], "an escape sequence")
        expect((lines[1].split()[0], lines[1].split()[-1], lines[2].endswith("l -> f")), ("-rwxr-x---", "f", True), "the rows")
        expect(v.ctl_ok("cat", "d/l"), "one\n", "cat of a link")
        expect(v.ctl("cat", "d").returncode, 1, "cat of a directory")
        expect_one_line(v.ctl("ls", "/etc"), 2, "/etc", "WBSHIM_PREFIX")
        v.ctl_ok("flush")
        os.unlink(os.path.join(v.tree, "d", "f"))
        expect(v.ctl_ok("cat", "d/f"), "one\n", "from the store")


@case("ls and status show FIFOs, sockets and devices as what they are: local, never stored")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        device = os.geteuid() == 0
        v.sh("cd $WBSHIM_PREFIX; mkdir -p d/deep; echo one > d/f; mkfifo -m 640 d/pipe; mkfifo d/deep/p top" + ("; mknod d/null c 1 3" if device else ""))
        v.sh(["/usr/bin/python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).bind('{volume.PREFIX}/d/sock')"])
        lines = [line.split() for line in v.ctl_ok("ls", "-l", "d").splitlines()]
        kinds = {"deep": "d", "f": "-", "pipe": "p", "sock": "s", **({"null": "c"} if device else {})}
        expect({line[-1]: line[0][0] for line in lines}, kinds, "letters of ls -l")
        expect({line[-1]: line[4] for line in lines if line[0][0] in "psc"}, {name: "local" for name in kinds if kinds[name] in "psc"}, "states")
        rows = {row["name"]: (row["type"], row["state"], row["mode"]) for row in v.ctl_json("ls", "d")["entries"]}
        expect((rows["pipe"], rows["sock"][:2], rows["f"][:2]), (("fifo", "local", "0640"), ("socket", "local"), ("file", "staged")), "the document")
        expect(v.ctl_ok("ls", "top"), "top\n", "one by its name")
        expect(v.ctl("ls", "nowhere").returncode, 1, "what is not there")
        expect((v.ctl_json("status")["local_only"], "on this machine only" in v.ctl_ok("status")), (len(kinds), True), "status")
        v.ctl_ok("flush")
        expect(set(v.records()) & {"d/pipe", "d/sock", "d/null", "top", "d/deep/p"}, set(), "records")
        expect(v.ctl_json("ls", "d")["entries"] != [], True, "after the flush")
        v.sh("rm $WBSHIM_PREFIX/top $WBSHIM_PREFIX/d/pipe $WBSHIM_PREFIX/d/deep/p $WBSHIM_PREFIX/d/sock; rm -f $WBSHIM_PREFIX/d/null")
        expect((v.ctl_json("status")["local_only"], "on this machine only" in v.ctl_ok("status")), (0, False), "when they are gone")


cases.main()
