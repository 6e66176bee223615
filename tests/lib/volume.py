"""A volume of its own for one test: staging directory, Redis, the environment of programs and tools, the uploader."""
import contextlib
import json
import os
import shutil
import signal

from lib import build, process, records, resp, scratch, tree, wait

PREFIX = "/proc/wb"  # even root cannot create it by accident


class Volume:
    """Use as a context manager: ends what it started. Options are WBSHIM_* names without that prefix."""

    def __init__(self, where=None, name="test", **options):
        self.name = name
        self.stack = contextlib.ExitStack()
        self.base = self.stack.enter_context(scratch.directory(where or scratch.memory(), "wbvol-"))
        self.staging = os.path.join(self.base, "staging")
        self.home = os.path.join(self.base, "home")
        os.mkdir(self.home)
        self.socket = os.path.join(self.staging, "run", "redis.sock")
        self.extra = {}  # further environment of the tools, such as AWS_*
        self.options = {"PREFIX": PREFIX, "STAGING_DIR": self.staging, "VOLUME": name, "METRICS": "", "LOG": "info"}
        self.options.update(options)
        self.server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop_uploader()
            self.kill_redis()
        finally:
            self.stack.close()

    # Environments

    def tool_env(self):
        """Of shim-ctl and the uploader."""
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": self.home, "LC_ALL": "C", "TZ": "UTC"}
        env.update({"WBSHIM_" + name: str(value) for name, value in self.options.items() if value is not None})
        env.update(self.extra)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        return env

    def program_env(self):
        """Of a program with the library preloaded. It never sees the store's credentials."""
        env = {k: v for k, v in self.tool_env().items() if not k.startswith("AWS_") and not k.endswith("SAN_OPTIONS")}
        env["LD_PRELOAD"] = build.LIBRARY
        return env

    def configure(self, text):
        """A configuration file of that text, for the tools. Returns its path."""
        path = os.path.join(self.base, "config")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        self.options["CONFIG"] = path
        return path

    # Programs

    def run(self, argv, timeout=120, env=None, **options):
        """A program under the library; a string is a bash command. Returns CompletedProcess with bytes."""
        if isinstance(argv, str):
            argv = ["/bin/bash", "-c", argv]
        return process.run(argv, timeout, env=dict(self.program_env(), **(env or {})), **options)

    def sh(self, command, timeout=120, **options):
        """The same, and it must succeed. Returns its output as text."""
        done = self.run(command, timeout, **options)
        if done.returncode != 0:
            raise AssertionError(f"{command!r} under the library: exit {done.returncode}, stderr {done.stderr.decode(errors='replace')!r}")
        return done.stdout.decode(errors="surrogateescape")

    def ctl(self, *args, timeout=120, env=None):
        """shim-ctl; returns CompletedProcess with bytes."""
        return process.run([build.SHIM_CTL, *args], timeout, env=dict(self.tool_env(), **(env or {})))

    def ctl_ok(self, *args, timeout=120):
        """shim-ctl that must exit 0. Returns its output as text."""
        done = self.ctl(*args, timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(f"shim-ctl {' '.join(args)}: exit {done.returncode}\n    {done.stdout.decode()}\n    {done.stderr.decode()}")
        return done.stdout.decode()

    def ctl_json(self, *args, timeout=120):
        return json.loads(self.ctl_ok(*args, "--json", timeout=timeout))

    # Redis

    def start_redis(self, *options):
        """A redis-server of the test's own on the default socket, without the uploader. Returns when it has loaded its data."""
        os.makedirs(os.path.dirname(self.socket), mode=0o700, exist_ok=True)
        os.chmod(self.staging, 0o700)
        self.server = process.start(["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
                                     "--appendonly", "no", "--dir", self.base, "--loglevel", "warning", *options])
        wait.until(self._redis_answers, 60, "redis-server")

    def _redis_answers(self):
        try:
            with resp.Redis(self.socket) as redis:
                return redis("PING") == b"PONG"
        except (OSError, resp.RedisError):
            return False

    def kill_redis(self):
        """SIGKILL to the Redis that the test started."""
        if self.server:
            self.server.kill()
            self.server.wait()
            self.server = None

    @contextlib.contextmanager
    def redis(self):
        """A connection to the volume's Redis."""
        with resp.Redis(self.socket) as connection:
            yield connection

    def key(self, what):
        return f"wbshim:{{{self.name}}}:{what}"

    def records(self):
        """{path: record} without tombstones."""
        with self.redis() as redis:
            return records.live(records.read(redis, self.name))

    def due(self):
        """{path: due ms} of every client's delay queue."""
        with self.redis() as redis:
            found = {}
            for key in redis.keys(self.key("due:*")):
                flat = redis("ZRANGE", key, 0, -1, "WITHSCORES")
                found.update({os.fsdecode(path): float(score) for path, score in zip(flat[::2], flat[1::2])})
            return found

    # Tree and journal

    @property
    def tree(self):
        return os.path.join(self.staging, "tree")

    def snapshot(self):
        return tree.snapshot(self.tree) if os.path.isdir(self.tree) else {}

    def disagreements(self, links=True):
        """Between records and tree, as sentences."""
        return records.disagreements(self.records(), self.snapshot(), self.tree, self.options["PREFIX"], links)

    def journal(self):
        """Payloads of the lines in journal/current: (kind, path)."""
        path = os.path.join(self.staging, "journal", "current")
        if not os.path.exists(path):
            return []
        with open(path, "rb") as f:
            lines = [line for line in f.read().split(b"\0") if line]
        parts = [line.split(b" ", 1)[1].split(b" ", 2) for line in lines]
        return [(kind.decode(), os.fsdecode(name)) for kind, _, name in parts]

    def replay_journal(self):
        """On a busy machine Redis may take longer than the library waits, which then writes a line into the journal instead. Where no
        uploader runs, this has them replayed; says so, and whether there were any."""
        lines = len(self.journal())
        if lines:
            print(f"    slow: {lines} lines in the journal")
            self.start()
            wait.until(lambda: not self.journal(), what="the journal to be replayed")
        return lines > 0

    # The uploader

    def start(self, timeout=60):
        """shim-ctl start."""
        return self.ctl_ok("start", timeout=timeout)

    def uploader_pid(self):
        """Of the running uploader, or None."""
        return self._pid("uploader.pid")

    def redis_pid(self):
        """Of the redis-server that shim-ctl started, or None."""
        return self._pid("redis.pid")

    def _pid(self, name):
        try:
            with open(os.path.join(self.staging, "run", name), encoding="ascii") as f:
                pid = int(f.read().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if process.alive(pid) else None

    def kill_uploader(self):
        pid = self.uploader_pid()
        os.kill(pid, signal.SIGKILL)
        process.wait_gone(pid)

    def stop_uploader(self):
        """Ends whatever shim-ctl started, by its number."""
        pids = [p for p in (self.uploader_pid(), self.redis_pid()) if p]
        if not pids:
            return
        if os.path.exists(build.SHIM_CTL):
            with contextlib.suppress(TimeoutError):
                self.ctl("stop", timeout=20)
        for pid in pids:
            if process.alive(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                process.wait_gone(pid)

    def log(self):
        """The uploader's log, for messages of failed cases."""
        path = os.path.join(self.staging, "run", "uploader.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()[-4000:]

    def handovers(self):
        """How often the uploader went from fanotify to inotify since others keep the disk busy: each time it scans."""
        return self.log().count("watch: by inotify from now on")

    def forget_tree(self):
        shutil.rmtree(self.tree)
