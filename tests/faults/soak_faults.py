"""The kinds of fault of soak.py."""
import os
import re

from lib import build, resp

FOR_ALL, FOR_S3 = {}, {}  # name: (what makes one of a volume and a source of chance, the seconds it lasts)


class Fault:
    """v: of soaked.Soaked. begin() says whether it could be done, felt() whether anybody met it, as far as that can be seen. told: how, for people."""

    def __init__(self, v, *how):
        self.v, self.how = v, how
        self.told = how

    def begin(self):
        return True

    def felt(self):
        return True

    def end(self):
        pass


class Kill(Fault):
    """SIGKILL. What has died starts again when the fault ends."""

    def begin(self):
        kill = {"program": self.v.kill_program, "uploader": self.v.kill_uploader, "Redis": self.v.kill_redis, "gateway": self.v.kill_gateway}
        dead = [kill[who]() for who in self.how]
        if "uploader" in self.how:
            self.v.mid_check()
        return all(dead)

    def end(self):
        self.v.revive()


class Stop(Fault):
    """SIGSTOP, and SIGCONT at its end. One that was killed meanwhile needs none."""

    def begin(self):
        self.child = self.v.server if self.how[0] == "Redis" else self.v.uploader
        return self.v.stop(self.child)

    def end(self):
        self.v.go_on(self.child)


class OnLine(Fault):
    """Of lib.redis_proxy. A later one takes the place of an earlier one."""

    def begin(self):
        self.seen = self.met()
        self.v.line.switch(*self.how)
        return True

    def met(self):
        return sum(self.v.line.commands.values()) + self.v.line.connections

    def felt(self):
        return self.met() > self.seen

    def end(self):
        if self.v.line.fault == self.how:
            self.v.line.switch()
            if self.how[0] == "hang":
                self.v.line.drop()


class OneScript(OnLine):
    """Only the answers to one script are lost, so that the conversation comes as far as that again and again. how: its name."""

    def __init__(self, v, name):
        with open(os.path.join(build.BUILD, "core", "scripts", "scripts.h"), encoding="utf-8") as text:
            digest = re.search(rf'Script {name}{{"{name}", "([0-9a-f]+)"', text.read())[1]
        super().__init__(v, "lose", digest.encode())
        self.told = (name,)

    def met(self):
        return self.v.line.losses


class OnStore(Fault):
    """Of lib.s3_proxy, in the same way."""

    def begin(self):
        self.seen = len(self.v.store_line.requests)
        self.v.store_line.switch(*self.how)
        return True

    def felt(self):
        return len(self.v.store_line.requests) > self.seen

    def end(self):
        if self.v.store_line.fault == self.how:
            self.v.store_line.switch()


class Refusal(Fault):
    """Redis itself refuses to write. how: the beginning of its error, the command. The end is v.accept(), where Redis can be asked."""

    def begin(self):
        self.seen = self.met()
        return self.ask(*self.how[1:]) is not None

    def ask(self, *command):
        """The answer; None when Redis is dead or stopped."""
        if not self.v.redis_can_answer():
            return None
        with resp.Redis(self.v.socket) as redis:
            return redis(*command)

    def met(self):
        found = re.search(rb"errorstat_%s:count=(\d+)" % self.how[0].encode(), self.ask("INFO", "errorstats") or b"")
        return int(found[1]) if found else 0

    def felt(self):
        return self.met() not in (0, self.seen)

    def end(self):
        if self.v.redis_can_answer():
            self.v.accept()


class Beside(Fault):
    """Files are written without the library."""

    def begin(self):
        self.v.write_foreign()
        return True


def _kind(table, name, fault, *how, seconds=(0.05, 0.8)):
    """how: for the fault; a pair of numbers is a range, a list a choice out of which one is drawn."""
    def make(v, draw):
        return fault(v, *(draw.uniform(*h) if isinstance(h, tuple) else draw.choice(h) if isinstance(h, list) else h for h in how))
    table[name] = (make, seconds)


_kind(FOR_ALL, "a program is killed", Kill, "program", seconds=(0, 0))
_kind(FOR_ALL, "the uploader is killed", Kill, "uploader", seconds=(0, 0.5))
_kind(FOR_ALL, "Redis is killed", Kill, "Redis", seconds=(0, 0.5))
_kind(FOR_ALL, "Redis and uploader are killed", Kill, "Redis", "uploader", seconds=(0, 0.5))
_kind(FOR_ALL, "Redis is stopped for a while", Stop, "Redis", seconds=(0.05, 1.5))
_kind(FOR_ALL, "the uploader is stopped for a while", Stop, "uploader", seconds=(0.05, 1.5))
_kind(FOR_ALL, "Redis is slow", OnLine, "delay", (0.03, 0.5))
_kind(FOR_ALL, "answers of Redis are cut", OnLine, "cut", "answer")
_kind(FOR_ALL, "requests to Redis are cut", OnLine, "cut", "request")
_kind(FOR_ALL, "answers of Redis are lost", OnLine, "lose")
_kind(FOR_ALL, "answers to one script are lost", OneScript, ["claim", "finish", "publish", "claim_delete", "finish_delete"])
_kind(FOR_ALL, "Redis hangs", OnLine, "hang", seconds=(0.05, 1.5))
_kind(FOR_ALL, "Redis lets nobody in", OnLine, "close")
_kind(FOR_ALL, "Redis is read only", Refusal, "READONLY", "REPLICAOF", "127.0.0.1", "1")
_kind(FOR_ALL, "Redis is full", Refusal, "OOM", "CONFIG", "SET", "maxmemory", "1")
_kind(FOR_ALL, "files are written without the library", Beside, seconds=(0, 0))
_kind(FOR_ALL, "nothing", Fault, seconds=(0, 0))
_kind(FOR_S3, "the S3 gateway is killed", Kill, "gateway", seconds=(0, 0))
_kind(FOR_S3, "the store says 503 SlowDown", OnStore, "status", 503, "SlowDown")
_kind(FOR_S3, "the store says 500", OnStore, "status", 500, "InternalError")
_kind(FOR_S3, "the store resets in the middle of bodies", OnStore, "cut", "body")
_kind(FOR_S3, "answers of the store are cut", OnStore, "cut", "answer")
_kind(FOR_S3, "answers of the store are too short", OnStore, "length", 10)
_kind(FOR_S3, "answers of the store are lost", OnStore, "lose")
_kind(FOR_S3, "the store hangs", OnStore, "hang", seconds=(0.05, 1.5))
_kind(FOR_S3, "the store is slow", OnStore, "delay", (0.05, 1.0))
