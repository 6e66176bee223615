"""Random steps for walk_driver.py: few names, so that they meet; every spelling of a path; kinds in such shares that the tree neither
dies out nor fills up. Not among them are README's limits: links outside that lead in, relative links that climb out."""
import os
import random

NAMES = ["a", "b", "c", "d", "e"]
ODD = ["sp ace", "new\nline", "per%41", "\udcff\udcfe", "l" * 255]
SLOTS = 8
OPENS = [os.O_RDONLY, os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR, os.O_RDONLY | os.O_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY, os.O_PATH, os.O_PATH | os.O_NOFOLLOW,
         os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR | os.O_CREAT, os.O_RDWR | os.O_CREAT | os.O_EXCL,
         os.O_WRONLY | os.O_CREAT | os.O_APPEND, os.O_RDWR | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, os.O_RDONLY | os.O_CREAT]
RENAME_FLAGS = [0, 0, 0, 0, 1, 2, 2]  # NOREPLACE, EXCHANGE


class Steps:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        d = self.dice
        slot, text = self._slot, self._text
        path, far = self._path, self._far
        mode = lambda: d.choice([0o644, 0o600, 0o755, 0o700])  # noqa: E731
        self.kinds = [
            (14, lambda: ["open", *far(), d.choice(OPENS), mode(), slot()]),
            (4, lambda: ["open", path(), None, os.O_WRONLY | os.O_CREAT, mode(), slot()]),
            (8, lambda: ["close", slot()]), (8, lambda: ["write", slot(), text()]), (3, lambda: ["pwrite", slot(), text(), d.randrange(3000)]),
            (3, lambda: ["read", slot(), d.randrange(100)]), (2, lambda: ["lseek", slot(), d.randrange(-5, 500), d.randrange(5)]),
            (2, lambda: ["ftruncate", slot(), d.randrange(2000)]), (3, lambda: ["truncate", path(), d.randrange(2000)]),
            (1, lambda: ["fallocate", slot(), d.randrange(1000), d.randrange(1, 1000)]),
            (9, lambda: ["rename", *far(), *far(), d.choice(RENAME_FLAGS)]), (4, lambda: ["link", path(), path(), d.random() < 0.3]),
            (5, lambda: ["symlink", self._target(), *self._far(inside=True)]), (9, lambda: ["unlink", *far()]), (4, lambda: ["rmdir", *far()]),
            (10, lambda: ["mkdir", *far(), d.choice([0o755, 0o700, 0o777])]), (1, lambda: ["mkfifo", path()]), (1, lambda: ["bind", path(short=True)]),
            (6, lambda: ["stat", *far(), d.random() < 0.5]), (2, lambda: ["fstat", slot()]), (3, lambda: ["listdir", self._directory()]),
            (2, lambda: ["scandir", self._directory()]), (1, lambda: ["flistdir", slot()]), (3, lambda: ["chmod", path(), mode()]),
            (1, lambda: ["fchmod", slot(), mode()]), (3, lambda: ["utime", path(), d.randrange(10**18), d.random() < 0.7]),
            (1, lambda: ["futime", slot(), d.randrange(10**18)]), (3, lambda: ["readlink", *far()]), (4, lambda: ["chdir", self._directory()]),
            (2, lambda: ["fchdir", slot()]), (3, lambda: ["getcwd"]), (2, lambda: ["realpath", path()]), (2, lambda: ["proc", slot()]),
            (2, lambda: ["access", path(), d.randrange(8)]), (1, lambda: ["chown", path(), d.random() < 0.5]), (1, lambda: ["setxattr", path(), text()]),
            (4, lambda: ["dup2", slot(), slot()]), (3, lambda: ["tmpfile", self._directory(), path()]), (2, lambda: ["mapped", slot(), text()]),
            (1, lambda: ["copy", slot(), slot()]), (1, lambda: ["fsync", slot()]), (3, lambda: ["whole", path()]),
            (4, lambda: ["stdio", path(), d.choice(["r", "w", "a", "r+", "x", "w+"]), text()]),
            (1, lambda: ["in_child", slot(), text(), d.choice(["write", "write", "close", "exec"])]), (0.3, lambda: ["spawned", path(), text()]),
            (0.3, lambda: ["view"]),
        ]

    def take(self, count):
        weights = [w for w, _ in self.kinds]
        return [make() for _, make in self.dice.choices(self.kinds, weights, k=count)] + [["view"]]

    def _slot(self):
        return self.dice.randrange(SLOTS)

    def _text(self):
        return "x" * self.dice.randrange(300)

    def _names(self, most=3):
        d = self.dice
        return [d.choice(ODD) if d.random() < 0.03 else d.choice(NAMES) for _ in range(d.choice([1, 1, 2, 2, most]))]

    def _path(self, short=False, inside=False):
        """From the working directory or from the root; now and then in another spelling, over the border, or beside it."""
        d = self.dice
        names = [d.choice(NAMES)] if short else self._names()
        if d.random() < 0.15:
            names.insert(d.randrange(len(names) + 1), d.choice([".", "..", ""]) if len(names) > 1 else ".")
        text = "/".join(n for i, n in enumerate(names) if n or 0 < i < len(names) - 1)
        if d.random() < 0.03:
            text += "/"
        roll = d.random()
        if inside or roll < 0.6:
            return "{R}/" + text if inside or roll < 0.3 else text
        if roll < 0.9:
            return "{R}/" + text
        return d.choice(["{O}/", "{R}/../out/", "{O}/../wb/", "{R}/./", "//{R}//", "../out/", "../wb/", "{R}/a/../"]) + text

    def _far(self, inside=False):
        """A path, and perhaps the slot of a directory that it starts at."""
        if self.dice.random() < 0.2 and not inside:
            return "/".join(self._names(2)), self._slot()
        return self._path(inside=inside), None

    def _directory(self):
        return self.dice.choice(["{R}", ".", "{R}/.", "{O}/../wb"]) if self.dice.random() < 0.4 else self._path()

    def _target(self):
        d = self.dice
        roll = d.random()
        names = "/".join(self._names(2))
        return names if roll < 0.5 else "{R}/" + names if roll < 0.85 else d.choice(["{O}/file", "{O}/missing"]) if roll < 0.95 else "/proc/nowhere"
