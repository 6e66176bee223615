#!/usr/bin/env python3
"""The program whose machine loses its power: changes files under the prefix until it is killed. Before and after each change it tells
a log outside the prefix, so that the test knows what was acknowledged. Also the model of that log: what may be there afterwards."""
import hashlib
import json
import mmap
import os
import random
import sys


def content(path, version):
    """The bytes of that version of that path: no other has the same beginning."""
    seed = hashlib.sha256(f"{path} {version}".encode()).digest()
    size = 1 + int.from_bytes(seed[:4], "big") % (200000 if seed[4] < 26 else 9000)
    return (seed * (size // len(seed) + 1))[:size]


class Program:
    def __init__(self, root, log, seed):
        self.root, self.random = root, random.Random(seed)
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.version = 0
        self.known = []
        self.open = []

    def tell(self, *words):
        os.write(self.log, (json.dumps(words) + "\n").encode())

    def at(self, path):
        return os.path.join(self.root, path)

    def name(self, fresh):
        if not fresh and self.known:
            return self.random.choice(self.known)
        self.known.append(f"f{len(self.known)}")
        return self.known[-1]

    def write(self, path, version, target=None, flags=0):
        fd = os.open(self.at(target or path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | flags, 0o644)
        data = content(path, version)
        while data:
            data = data[os.write(fd, data[:65536]):]
        return fd

    def act(self, kind):
        """One change of that kind, told before and after."""
        self.version += 1
        version = self.version
        path = self.name(kind in ("create", "subdir", "fsync", "msync", "osync", "range") or self.random.random() < 0.3)
        if kind == "subdir":
            self.known[-1] = path = f"d{version % 5}/e{version % 3}/{path}"
            os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        if kind == "remove":
            self.tell("begin", "remove", path, version)
            if os.path.lexists(self.at(path)):
                os.unlink(self.at(path))
            return self.tell("done", "remove", path, version)
        self.tell("begin", "put", path, version)
        if kind in ("create", "replace", "subdir"):
            os.close(self.write(path, version))
        elif kind == "rename":
            os.close(self.write(path, version, target=path + ".new"))
            os.rename(self.at(path + ".new"), self.at(path))
        elif kind == "chmod":
            os.close(self.write(path, version))
            os.chmod(self.at(path), 0o640)
        elif kind == "link":
            os.close(self.write(path, version, target=path + ".one"))
            if os.path.lexists(self.at(path)):
                os.unlink(self.at(path))
            os.link(self.at(path + ".one"), self.at(path))
            os.unlink(self.at(path + ".one"))
        elif kind in ("fsync", "osync", "range", "msync"):
            self.synced(kind, path, version)
        return self.tell("done", "put", path, version)

    def synced(self, kind, path, version):
        """On disk by the program's own asking, and left open."""
        fd = self.write(path, version, flags=os.O_SYNC if kind == "osync" else 0)
        if kind == "fsync":
            os.fsync(fd)
        elif kind == "range":
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
            if libc.sync_file_range(fd, 0, 0, 7) != 0:
                raise OSError(ctypes.get_errno(), "sync_file_range")
        elif kind == "msync":
            os.close(fd)
            fd = os.open(self.at(path), os.O_RDWR)
            with mmap.mmap(fd, 0) as view:
                view[:] = content(path, version)
                view.flush()
        self.open.append(fd)


def run(kinds, root, log, seed):
    os.makedirs(root, exist_ok=True)
    program = Program(root, log, seed)
    program.tell("ready")
    while True:
        program.act(program.random.choice(kinds))


class History:
    """What the log says: per path the acknowledged version (None: removed), all versions, and the change under way."""

    def __init__(self, file):
        self.acknowledged, self.versions, self.under_way = {}, {}, None
        with open(file, encoding="ascii") as lines:
            for line in lines:
                step, *rest = json.loads(line)
                if step == "ready":
                    continue
                what, path, version = rest
                self.under_way = (what, path, version) if step == "begin" else None
                if what == "put":
                    self.versions.setdefault(path, []).append(version)
                if step == "done":
                    self.acknowledged[path] = version if what == "put" else None

    def done(self):
        return len(self.acknowledged)

    def is_under_way(self, path):
        return self.under_way is not None and path in (self.under_way[1], self.under_way[1] + ".new", self.under_way[1] + ".one")

    def is_whole(self, path, data):
        """Some version of it, whole."""
        return any(data == content(path, version) for version in self.versions.get(path, []))


if __name__ == "__main__":
    run(sys.argv[1].split(","), sys.argv[2], sys.argv[3], int(sys.argv[4]))
