"""Who lives, stands still and dies in a volume of soak.py: Redis and an S3 server stand behind proxies, and several faults may go on at once."""
import os
import select
import signal

import session

from lib import build, process, redis_proxy, resp, s3_proxy, wait

PATIENCE = 120  # seconds; other things go on on this machine


class Living(session.Session):
    """tops: as of oracle.Judged. The steps of core/base/fault_points.def are not in the build: the page counts nothing."""

    def __init__(self, seed, server=None, where=None, tops=("w0", "w1"), **options):
        self.tops = tops
        super().__init__(seed, server, where, **options)
        os.makedirs(os.path.dirname(self.socket), mode=0o700)
        os.chmod(self.staging, 0o700)
        self.line = redis_proxy.RedisProxy(os.path.join(self.base, "proxy.sock"), self.socket)
        self.options["REDIS_URL"] = "unix://" + self.line.path
        self.store_line = s3_proxy.S3Proxy(server.endpoint) if server else None
        self.ready, self.said, self.stopped = None, b"", []
        self.counts = dict.fromkeys(("operations", "kills", "restarts", "refused flushes", "late requests"), 0)
        self.last_log = ""  # when it has ended

    def __enter__(self):
        self.line.__enter__()
        if self.store_line:
            self.store_line.__enter__()
            self.extra["AWS_ENDPOINT_URL_S3"] = self.store_line.url
        return self

    def __exit__(self, *stop):
        if self.store_line:
            self.store_line.switch("close")
        self.go_on()
        self.last_log = self.log()
        try:
            super().__exit__(*stop)
        finally:
            self.line.__exit__()
            if self.store_line:
                self.store_line.__exit__()

    # What the faults do. True: it was there.

    def kill_program(self):
        """One of them, or all."""
        there = [w for w in self.workers if w.poll() is None]
        for worker in there if self.draw.random() < 0.5 else there[:1]:
            worker.kill()
            worker.wait()
            self.counts["kills"] += 1
        return bool(there)

    def kill_uploader(self):
        self._watch_uploader()
        there = self.uploader is not None
        super().kill_uploader()
        self._forget_uploader()
        self.counts["kills"] += there
        return there

    def kill_redis(self):
        there = self.server is not None
        super().kill_redis()
        self.counts["kills"] += there
        return there

    def kill_gateway(self):
        there = self.s3.gateway() is not None
        if there:
            self.s3.kill_gateway()
        self.counts["kills"] += there
        return there

    def stop(self, child):
        if not child or child.poll() is not None or child in self.stopped:
            return False
        self.stopped.append(child)
        child.send_signal(signal.SIGSTOP)
        return True

    def go_on(self, *children):
        """Those, or all. One that was killed meanwhile needs no signal."""
        for child in children or tuple(self.stopped):
            if child in self.stopped:
                self.stopped.remove(child)
                child.send_signal(signal.SIGCONT)

    def redis_can_answer(self):
        return self.server is not None and self.server not in self.stopped

    def accept(self):
        """Redis takes everything again."""
        with resp.Redis(self.socket) as redis:
            redis("REPLICAOF", "NO", "ONE")
            redis("CONFIG", "SET", "maxmemory", "0")

    def write_foreign(self):
        self._write_foreign()

    # Who lives

    def revive(self):
        """Redis and the uploader start again where they are dead. The latter is not waited for: who it needs may be stopped."""
        if not self.server:
            self.start_redis()
        self._watch_uploader()
        if not self.uploader:
            readable, writable = os.pipe()
            self.uploader = process.start([build.UPLOADER, "--ready-fd", str(writable)], env=self.tool_env(), pass_fds=(writable,))
            os.close(writable)
            self.ready, self.said = readable, b""

    def _watch_uploader(self):
        """One that gave up its start is forgotten. One that was ready ends only when it is killed."""
        if self.ready is not None and select.select([self.ready], [], [], 0)[0]:
            self.said += os.read(self.ready, 4096)
        if not self.uploader or self.uploader.poll() is None:
            return
        if self.said == b"ready\n" or self.uploader.returncode < 0:
            raise AssertionError(f"the uploader ended by itself, with {self.uploader.returncode}")
        self._forget_uploader()

    def _forget_uploader(self):
        self.uploader = None
        if self.ready is not None:
            os.close(self.ready)
            self.ready = None

    def await_uploader(self):
        """All is well now: one that has given up starts once more, and must succeed."""
        for _ in range(2):
            self.revive()
            self.wait_for(lambda: not self.uploader or self.said == b"ready\n", "the uploader's start")
            if self.uploader:
                return
            self.counts["restarts"] += 1
        raise AssertionError(f"the uploader does not start: {self.said!r}")

    def wait_for(self, condition, what):
        def looked():
            self._watch_uploader()
            return condition()
        wait.until(looked, PATIENCE, what)
