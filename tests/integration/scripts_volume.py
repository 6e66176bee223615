"""A volume played by hand: a tree and a store in memory, a real Redis, and the project's own scripts between them.

Every step that a program, an uploader, the network or a kill could take is one method; the caller chooses their order.
"""
import os

from lib import build

CLIENT, BOOT = "0123456789abcdef", "01234567"
SCRIPTS = os.path.join(build.ROOT, "core", "scripts")


def split(path):
    directory, _, name = path.rpartition("/")
    return directory, name


class Request:
    """One PUT (body is a text) or DELETE (None) under way."""

    def __init__(self, key, body, path, generation, instance):
        self.key, self.body, self.path, self.generation, self.instance = key, body, path, generation, instance


class Volume:
    def __init__(self, redis, name):
        self.redis, self.prefix = redis, f"wbshim:{{{name}}}:"
        self.tree, self.store = {}, {}   # path: (type, version) and key: version
        self.open, self.late = [], []    # requests whose answer we await; requests that were given up and may still land
        self.version = self.instance = 0
        self.shas = {}
        for script in ("publish", "claim", "finish", "claim_delete", "finish_delete", "settle"):
            with open(os.path.join(SCRIPTS, script + ".lua"), encoding="utf-8") as f:
                self.shas[script] = redis("SCRIPT", "LOAD", f.read())

    def key(self, what):
        return self.prefix + what

    def dir_of(self, path):
        return self.key("dir:" + split(path)[0])

    def call(self, script, keys, *argv):
        return self.redis("EVALSHA", self.shas[script], len(keys), *keys, *argv)

    # The program

    def publish(self, *changes, delay=0):
        """changes: (kind, path); what is in the tree now is published."""
        argv, keys = [CLIENT, delay, 3600000, 0, BOOT], [self.key(k) for k in ("due:" + CLIENT, "del", "object", "meta")]
        for kind, path in changes:
            t, version = self.tree.get(path, ("f", 0))
            tail = f',"size":{version},"mtime_ns":{version},"boot":"{BOOT}"'
            argv += [kind, path, split(path)[1], t, f"{version}.{version}.{version}.{version}", tail, 0, 0]
            keys.append(self.dir_of(path))
        return self.call("publish", keys, *argv)

    def parent_ok(self, path):
        parent = split(path)[0]
        return not parent or self.tree.get(parent, ("", 0))[0] == "d"

    def below(self, path):
        return [p for p in self.tree if p.startswith(path + "/")]

    def make(self, t, path):
        """Create or change a file, link or directory; what POSIX refuses does nothing."""
        old = self.tree.get(path)
        if not self.parent_ok(path) or (old and (t == "d" or old[0] == "d")):
            return
        self.version += 1
        self.tree[path] = (t, self.version)
        self.publish(("c", path))

    def remove(self, path):
        if path in self.tree and not self.below(path):
            del self.tree[path]
            self.publish(("u", path))

    def rename(self, old, new):
        """Of what is no directory."""
        if old == new or self.tree.get(old, "d")[0] == "d" or self.tree.get(new, "f")[0] == "d" or not self.parent_ok(new):
            return
        self.tree[new] = self.tree.pop(old)
        self.publish(("u", old), ("c", new))

    def look(self, path):
        """A scan's look; changes nothing while Redis agrees."""
        if path in self.tree:
            self.publish(("l", path))

    # The uploader

    def due(self):
        return [p.decode() for p in self.redis("ZRANGE", self.key("due:" + CLIENT), 0, -1)]

    def deletions(self):
        return [k.decode() for k in self.redis("ZRANGE", self.key("del"), 0, -1)]

    def settling(self):
        return [k.decode() for k in self.redis("ZRANGE", self.key("settle"), 0, -1)]

    def claim(self, path):
        answer = self.call("claim", [self.dir_of(path), self.key("due:" + CLIENT), self.key("object"), self.key("settle"),
                                     self.key("dir:" + path)], CLIENT, str(self.instance), path, split(path)[1])
        if answer[0] == b"ok":
            t, version = self.tree[path]
            self.open.append(Request(path + "/" if t == "d" else path, str(version), path, answer[2], self.instance))
        return answer[0].decode()

    def claim_delete(self, key):
        path = key.rstrip("/")
        answer = self.call("claim_delete", [self.dir_of(path), self.key("del"), self.key("object"), self.key("settle")],
                           CLIENT, str(self.instance), path, split(path)[1], key)
        if answer[0] == b"ok":
            self.open.append(Request(key, None, path, answer[1], self.instance))
        return answer[0].decode()

    def land(self, request):
        if request.body is None:
            self.store.pop(request.key, None)
        else:
            self.store[request.key] = request.body

    def finish(self, request, outcome, lands=None):
        """The answer of a request. ok: it lands; fail, release: it never did; unknown: it may land later, if `lands`."""
        self.open.remove(request)
        if outcome == "ok":
            self.land(request)
        elif outcome == "unknown" and lands:
            self.late.append(request)
        keys = [self.dir_of(request.path)] + [self.key(k) for k in ("due:" + CLIENT, "object", "settle", "del")]
        common = [CLIENT, str(request.instance), request.path, split(request.path)[1], request.key, request.generation]
        if request.body is None:
            return self.call("finish_delete", keys, *common, outcome, 0, 0)
        return self.call("finish", keys, *common, request.body, outcome, 0)

    def land_late(self, request, lands):
        self.late.remove(request)
        if lands:
            self.land(request)

    def kill_uploader(self):
        """What is under way may still land; nobody hears of it."""
        self.late += self.open
        self.open = []
        self.instance += 1

    def settle(self, key):
        """Only when nothing of that key can land any more: the server's window has passed."""
        if any(r.key == key for r in self.late + self.open):
            return
        path = key.rstrip("/")
        keys = [self.dir_of(path)] + [self.key(k) for k in ("due:" + CLIENT, "object", "settle", "del")]
        self.call("settle", keys, CLIENT, path, split(path)[1], key, self.store.get(key, ""))

    # Peace

    def drain(self):
        """The uploader alone, nothing goes wrong, until nothing is left to do. False when that never comes."""
        for _ in range(200):
            while self.open:
                self.finish(self.open[0], "ok")
            while self.late:
                self.land_late(self.late[0], True)
            work = [(self.claim, p) for p in self.due()] + [(self.claim_delete, k) for k in self.deletions()]
            work += [(self.settle, k) for k in self.settling()]
            if not work:
                return True
            for step, what in work:
                step(what)
        return False

    def faults(self):
        """Sentences on what is wrong in peace."""
        wanted = {path + "/" if t == "d" else path: str(version) for path, (t, version) in self.tree.items()
                  if t != "d" or not self.below(path)}
        may = {path + "/" for path, (t, _) in self.tree.items() if t == "d"}
        wrong = [f"store lacks {key!r} = {version}, has {self.store.get(key)}" for key, version in wanted.items()
                 if (self.store.get(key) != version if not key.endswith("/") else key not in self.store)]
        wrong += [f"store has {key!r} of nothing" for key in self.store if key not in wanted and key not in may]
        recorded = {}
        for key in self.redis.keys(self.prefix.replace("{", "[{]").replace("}", "[}]") + "dir:*"):
            directory = key.decode().split(":dir:", 1)[1]
            for name, text in self.redis.hash(key).items():
                recorded[os.path.join(directory, name.decode())] = text.decode()
        wrong += [f"record of {p!r} that is not there: {r}" for p, r in recorded.items() if p not in self.tree]
        wrong += [f"no record of {p!r}" for p in self.tree if p not in recorded]
        wrong += [f"still staged: {p!r} {r}" for p, r in recorded.items() if '"state":"staged"' in r]
        wrong += [f"claim left: {k} {r}" for k, r in self.redis.hash(self.key("object")).items() if b"busy" in r]
        return wrong
