"""The page of core/base/fault.h: what is to happen at which step, and how often each step was passed."""
import mmap
import os
import re
import struct

from lib import build

KILL, PAUSE = 1, 2
_SIZE, _HITS = 4096, 64
_ROW = re.compile(r'^WBSHIM_FAULT_POINT\((\w+), "([^"]+)", "([^"]+)"\)', re.M)


def points():
    """The names, in the table's order."""
    with open(os.path.join(build.ROOT, "core", "base", "fault_points.def"), encoding="utf-8") as f:
        return [name for _, name, _ in _ROW.findall(f.read())]


class Page:
    """One page for all processes of a session."""

    def __init__(self, path):
        self.path = path
        self.names = points()
        with open(path, "wb") as f:
            f.truncate(_SIZE)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), _SIZE)

    def _put(self, offset, form, value):
        struct.pack_into(form, self.map, offset, value)

    def _get(self, offset, form):
        return struct.unpack_from(form, self.map, offset)[0]

    def hits(self, name):
        return self._get(_HITS + 8 * self.names.index(name), "=Q")

    def all_hits(self):
        return {name: self.hits(name) for name in self.names}

    def arm(self, name, visits, action):
        """It happens at that many visits from now (1: the next one)."""
        self.disarm()
        self._put(4, "=I", action)
        self._put(8, "=Q", self.hits(name) + visits)
        self._put(0, "=I", self.names.index(name) + 1)

    def disarm(self):
        self._put(0, "=I", 0)
        self._put(16, "=I", 0)
        self._put(20, "=I", 0)

    def armed(self):
        return self._get(0, "=I") != 0

    def fired(self):
        """The process to which it happened, or 0."""
        return self._get(16, "=I")

    def release(self):
        """A paused process goes on."""
        self._put(20, "=I", 1)
