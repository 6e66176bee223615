"""One volume in which things die, again and again: Redis (its AOF written always), the uploader, two programs at work."""
import os
import random
import socket
import threading
import time

import model
import oracle
from oracle import FOREIGN
from page import KILL, PAUSE, Page

from lib import build, process, wait

WORKLOAD = os.path.join(build.BUILD, "tests", "faults", "workload")
PATIENCE = 30
NUMBERS = 500  # of contents that a program may make up in a round


class Session(oracle.Judged):
    """Use as a context manager. server: of lib.s3, whose gateway may be killed; none: the store is a directory.
    where: (bucket, prefix) of that server; none: a bucket of its own."""

    operations = 14  # of a program in a round
    rest = 0  # milliseconds that it rests at most between two of them

    def __init__(self, seed, server=None, where=None, **options):
        options = dict({"UPLOAD_DELAY": "60ms", "WRITEBACK_MAX_SIZE": str(model.SMALL * 30), "MAX_UPLOADS": "4"}, **options)
        super().__init__(**options)
        self.seed, self.draw = seed, random.Random(seed)
        self.page = Page(os.path.join(self.base, "faults"))
        self.s3 = server
        self.uploader = None
        self.number = 0
        self.typical = {}  # visits of a point in one round
        if server:
            self.bucket, self.below = where or (server.bucket(f"crash-{os.getpid()}-{self.draw.randrange(10**6)}"), self.below)
            self.options["STORE_URL"] = f"s3://{self.bucket.name}/{self.below}"
            self.extra = server.env()

    def __exit__(self, *_):
        try:
            for child in self.workers + [self.uploader]:
                if child and child.poll() is None:
                    child.kill()
                    child.wait()
        finally:
            super().__exit__(*_)

    def tool_env(self):
        return dict(super().tool_env(), WBTEST_FAULTS=self.page.path)

    # What lives and dies

    def start_redis(self):
        os.makedirs(os.path.dirname(self.socket), mode=0o700, exist_ok=True)
        os.chmod(self.staging, 0o700)
        self.server = process.start(["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "yes",
                                     "--appendfsync", "always", "--dir", self.base, "--loglevel", "warning"])
        wait.until(self._redis_answers, PATIENCE, "redis-server")

    def start_uploader(self):
        """Until it lives: one that dies on the way is started again."""
        for _ in range(20):
            readable, writable = os.pipe()
            self.uploader = process.start([build.UPLOADER, "--ready-fd", str(writable)], env=self.tool_env(), pass_fds=(writable,))
            os.close(writable)
            with os.fdopen(readable, "rb") as f:
                said = f.readline()
            if said == b"ready\n":
                return
            self.uploader.wait()
            if self.page.fired() != self.uploader.pid and self.uploader.returncode >= 0:
                raise AssertionError(f"the uploader does not start: {said!r}")
            self.mid_check()
        raise AssertionError("the uploader dies at every start")

    def kill_uploader(self):
        if self.uploader and self.uploader.poll() is None:
            self.uploader.kill()
            self.uploader.wait()

    def start_workers(self):
        self.scripts, self.workers = [], []
        for i, top in enumerate(self.tops):
            script = model.Script(self.states[top], top, self.draw, self.number + i * NUMBERS)
            for _ in range(self.operations):
                script.step()
                if self.rest:
                    script.add("rest", self.draw.randrange(self.rest))
            if self.draw.random() < 0.5:
                script.write("left")
            self.scripts.append(script)
            text = "\n".join(" ".join(self._mapped(line)) for line in script.lines)
            names = [os.path.join(self.base, f"{top}.{kind}") for kind in ("script", "log")]
            with open(names[0], "w", encoding="ascii") as f:
                f.write(text + "\n")
            open(names[1], "wb").close()
            self.workers.append(process.start([WORKLOAD, *names], env=self.program_env()))
        self.number += len(self.tops) * NUMBERS

    def _mapped(self, line):
        virtual = self.options["PREFIX"]
        return [f"{virtual}/{word}" if word.split("/")[0] in self.tops else word for word in line]

    # A round: something happens at one place, everything goes on, and then all must be right

    def round(self, point=None, victim=None, mode="", visits=None):
        """Returns whether it happened. point: none, then at some time. victim: none, then whoever comes there kills itself.
        mode: what else happens. down: the uploader is away while the programs run; stop: it is told to end afterwards;
        redis: Redis is away while the programs run; foreign: something is written without the library; settle: as down, when a
        check of the store has fallen due."""
        self.handled, self.victim, self.at, started = False, victim, None, time.monotonic()
        before = self.page.all_hits()
        if mode == "settle":
            self._make_check()
        if mode in ("down", "settle"):
            self.kill_uploader()
        if mode == "redis":
            self.kill_redis()
        if not point and victim:
            self.at = started + self.draw.random() * self.typical.get("seconds", 0.3)
        elif point and (mode not in ("down", "settle") or point.startswith("client")):
            self._arm(point, victim, visits)
        self.start_workers()
        if mode == "foreign":
            self._write_foreign()
        self._pump_until(lambda: all(w.poll() is not None for w in self.workers), "the programs' end")
        if point and not self.page.armed():
            self._arm(point, victim, visits)
        if mode == "stop":
            self.uploader.terminate()
            self._pump_until(lambda: self.uploader.poll() is not None or self.handled, "the uploader's end")
        self._revive()
        self._flush()
        if mode == "":
            self.typical["seconds"] = 0.7 * self.typical.get("seconds", 0.3) + 0.3 * (time.monotonic() - started)
        self._pump()
        self.page.disarm()
        self.typical.update({name: max(1, hits - before[name]) for name, hits in self.page.all_hits().items()})
        self.check()
        return self.handled

    def _arm(self, point, victim, visits):
        visits = visits or self.draw.randint(1, min(60, self.typical.get(point, 1)))
        self.victim = victim
        self.page.arm(point, visits, PAUSE if victim else KILL)

    def _revive(self):
        """What is dead starts again."""
        if not self.server or self.server.poll() is not None:
            self.start_redis()
        if self._died():
            self.start_uploader()
            self.handled = self.handled or self.page.fired() != 0
            if self._died():  # as soon as it was ready
                self.start_uploader()

    def _died(self):
        """Whether there is no uploader; one that has just come to its end is waited for."""
        if self.uploader and self.page.fired() == self.uploader.pid and not self.victim:
            self.uploader.wait()
        return not self.uploader or self.uploader.poll() is not None

    def _write_foreign(self):
        os.makedirs(os.path.join(self.tree, FOREIGN), exist_ok=True)
        self.states[FOREIGN][FOREIGN] = ("d",)
        for _ in range(2):
            self.number += 1
            name = f"{FOREIGN}/f{self.draw.randrange(4)}"
            self.states[FOREIGN][name] = ("f", model.content(self.number, self.draw.randrange(1, model.SMALL)))
            self.foreign.setdefault(name, set()).add(self.states[FOREIGN][name][1])
            with open(os.path.join(self.tree, name), "wb") as f:
                f.write(self.states[FOREIGN][name][1])

    def _make_check(self):
        """Some key's request is unanswered, and the time to ask the store has come: an uploader dies with claims."""
        for _ in range(5):  # on a slow machine it may have been made before the round is over
            self.round("claimed")
            self.kill_uploader()
            with self.redis() as redis:
                if redis("ZCARD", self.key("settle")):
                    break

        def due():
            with self.redis() as redis:
                seconds, micros = redis("TIME")
                return redis("ZCOUNT", self.key("settle"), 0, int(seconds) * 1000 + int(micros) // 1000)
        wait.until(due, PATIENCE, "a check to fall due")
        self.handled, self.at = False, None

    def _pump_until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while True:
            self._pump()
            if condition():
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come")
            time.sleep(0.001)

    def _pump(self):
        if self.handled:
            return
        pid = self.page.fired()
        if pid and not self.victim:
            self.handled = True
            if self.uploader and pid == self.uploader.pid:
                self.uploader.wait()
                self._uploader_again()
        elif pid or self.at and time.monotonic() >= self.at:
            self.handled = True
            self._kill(self.victim)

    def _uploader_again(self):
        self.mid_check()
        time.sleep(self.draw.choice([0, 0.02]))
        self._revive()

    def _kill(self, victim):
        if victim == "redis":
            self.kill_redis()
            self.page.release()
            time.sleep(self.draw.choice([0, 0.02]))
            self.start_redis()
        elif victim in ("uploader", "both"):
            if victim == "both":
                self.kill_redis()
            self.kill_uploader()
            self.page.release()
            self._uploader_again()
        elif victim == "program":
            for worker in self.workers:
                worker.kill()
            self.page.release()
        elif victim == "store":
            self.s3.kill_gateway()
            self.page.release()
            self.s3.wait_gateway()
        else:
            raise AssertionError(f"nobody is called {victim}")

    def _ask_flush(self, answer):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(os.path.join(self.staging, "run", "uploader.sock"))
                s.sendall(b"FLUSH %d\0" % (PATIENCE * 500))
                with s.makefile("rb") as f:
                    for line in f:
                        answer.append(line.strip())
                        if line.startswith((b"OK", b"ERR")):
                            return
        except OSError as e:
            answer.append(f"ERR {e}".encode())

    def _flush(self):
        """Until it says that all is stored. What died meanwhile was started again."""
        said = []
        for _ in range(5):
            said.clear()
            asking = threading.Thread(target=self._ask_flush, args=(said,))
            asking.start()
            self._pump_until(lambda: not asking.is_alive(), "flush's answer")
            if said and said[-1] == b"OK":
                return
            self._revive()
        raise AssertionError(f"flush does not end well: {said[-5:]}; log:\n{self.log()}")
