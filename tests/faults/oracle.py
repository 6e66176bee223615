"""What must be true of a volume after things have died in it."""
import os

import model

from lib import volume, wait

TOPS = ("w0", "w1")  # a program's directory each
FOREIGN = "x"  # written without the library
PATIENCE = 90  # seconds; a check that the store did not answer is made again after 60


class Judged(volume.Volume):
    """A volume that knows what its programs were to do. states: {top: what is acknowledged}; scripts, workers: of the last round, in the
    order of `tops`; foreign: {path: every content that was written without the library}; bucket: none, then the store is a directory;
    below: the prefix of its keys."""

    tops = TOPS

    def __init__(self, **options):
        super().__init__(**options)
        self.store = os.path.join(self.staging, "store")
        self.bucket, self.below = None, "p"
        self.scripts, self.workers = [], []
        self.states = {top: {} for top in (*self.tops, FOREIGN)}
        self.foreign = {}

    def mid_check(self):
        """While things are dead: every object holds what its name held at some time, whole."""
        possible = dict(self.foreign)
        for script in self.scripts:
            possible.update(script.contents())
        for path, content in self._files().items() if not self.bucket else ():
            if content not in possible.get(path, set()) and content != self._staged(path):
                raise AssertionError(f"the object {path!r} holds what never was: {len(content)} bytes {content[:8]!r}…{content[-8:]!r}")

    def _staged(self, path):
        name = os.path.join(self.tree, path)
        try:
            with open(name, "rb") as f:
                return f.read()
        except OSError:
            return os.fsencode(os.readlink(name)) if os.path.islink(name) else None

    def _files(self):
        """{key: bytes, or a link's target} of a directory as the store."""
        found = {}
        for directory, below, files in os.walk(self.store):
            below[:] = [b for b in below if b != ".wbshim"]
            for name in set(files) - {".wbshim-volume"}:
                path = os.path.join(directory, name)
                if os.path.islink(path):
                    content = os.fsencode(os.readlink(path))
                else:
                    with open(path, "rb") as f:
                        content = f.read()
                found[os.path.relpath(path, self.store)] = content
        return found

    def check(self):
        """All programs have ended and flush has returned: model, tree, records and store agree; nothing waits."""
        wrong = []
        for top, script, worker in zip(self.tops, self.scripts, self.workers):
            with open(os.path.join(self.base, f"{top}.log"), encoding="ascii") as f:
                log = f.read()
            actual = model.there(self.tree, top)
            self.states[top], found = script.outcome(log, worker.returncode == 0, actual)
            wrong += found
            if worker.returncode not in (0, -9):
                wrong.append(f"a program ended with {worker.returncode}")
        if model.there(self.tree, FOREIGN) != self.states[FOREIGN]:
            wrong.append("what was written without the library is not there")
        wrong += self.wrong_objects()
        wrong += self.disagreements(links=False)
        with self.redis() as redis:
            for key in (f"due:{self.client()}", "del"):
                left = redis("ZRANGE", self.key(key), 0, -1)
                wrong += [f"{key} still holds {left}"] if left else []
        if os.path.isdir(os.path.join(self.staging, "quarantine")) and os.listdir(os.path.join(self.staging, "quarantine")):
            wrong.append("something is in quarantine")
        if wrong:
            raise AssertionError("\n".join(wrong))

    def client(self):
        with open(os.path.join(self.staging, "client"), encoding="ascii") as f:
            return f.read(16)

    def wrong_objects(self):
        there = {}
        for top in self.states:
            there.update(model.there(self.tree, top))
        parents = {os.path.dirname(path) for path in there}
        wanted = {path: os.fsencode(e[-1]) for path, e in there.items() if e[0] != "d"}
        empty = {path for path, e in there.items() if e[0] == "d" and path not in parents}
        if self.bucket:
            head = self.below + "/"
            keys = [key[len(head):] for key in self.bucket.keys(head) if not key.startswith(head + ".wbshim")]
            stored = {key: self.bucket.get(head + key)[0] for key in keys if not key.endswith("/")}
            directories = {key[:-1] for key in keys if key.endswith("/")} - parents
        else:
            stored = self._files()
            directories = {os.path.relpath(d, self.store) for d, below, files in os.walk(self.store) if not below + files} - {"."}
            directories = {d for d in directories if not d.startswith(".wbshim")}
        wrong = [f"no object of {p!r}" for p in sorted(set(wanted) - set(stored))]
        wrong += [f"an object {p!r} of nothing" for p in sorted(set(stored) - set(wanted))]
        wrong += [f"the object {p!r} holds {stored[p][:8]!r}… ({len(stored[p])}), the file {wanted[p][:8]!r}… ({len(wanted[p])})"
                  for p in sorted(set(stored) & set(wanted)) if stored[p] != wanted[p]]
        return wrong + [f"directories without entries: stored {sorted(directories - empty)}, there {sorted(empty - directories)}"] * (directories != empty)

    def end_check(self):
        """Nothing is left over: no claim, no check, no note on the store; the gauges are 0; what is stored is still right."""
        left = {}

        def drained():
            with self.redis() as redis:
                left["rows"] = redis.hash(self.key("object"))
                left["checks"] = redis("ZRANGE", self.key("settle"), 0, -1)
            return not left["rows"] and not left["checks"]
        try:
            wait.until(drained, PATIENCE, "the store's checks")
        except TimeoutError:
            raise AssertionError(f"left over: {left}") from None
        self.ctl_ok("flush")
        status = self.ctl_json("status")["uploader"]["status"]
        names = ("pending_files", "pending_bytes", "pending_deletes", "settling", "in_flight", "held", "journal_bytes", "dead_letters", "open_for_writing")
        wrong = [f"{name} is {status[name]}" for name in names if status[name] != 0] + self.wrong_objects()
        if wrong:
            raise AssertionError("\n".join(wrong))
