"""Which names of a tree the kernel saw change: an inotify watch on every directory, in a thread of its own."""
import ctypes
import os
import select
import struct
import threading
import time

_libc = ctypes.CDLL(None, use_errno=True)
CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
ISDIR, OVERFLOW, IGNORED, ONLYDIR, DONT_FOLLOW = 0x40000000, 0x4000, 0x8000, 0x1000000, 0x2000000
_MASK = CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | ONLYDIR | DONT_FOLLOW


class Recorder:
    """Use as a context manager around what changes the tree. named: relative paths."""

    def __init__(self, root):
        self.root = os.path.realpath(os.fsencode(root))
        self.named, self.events, self.overflowed = set(), 0, False
        self.last = time.monotonic()  # when the last event came
        self.linked = set()  # inodes that had several names when we looked
        self._paths = {}
        self._fd = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._loop)

    def __enter__(self):
        self._add(b"", False)
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.write(self._wake[1], b"x")
        self._thread.join()
        self._take()
        for fd in (self._fd, *self._wake):
            os.close(fd)

    def _add(self, path, name_all):
        """Watches a directory and all below it; what was there before the watch is named."""
        full = os.path.join(self.root, path)
        watch = _libc.inotify_add_watch(self._fd, full, _MASK)
        if watch < 0:
            return
        self._paths[watch] = path
        try:
            entries = list(os.scandir(full))
        except OSError:
            return
        for entry in entries:
            below = os.path.join(path, entry.name)
            if name_all:
                self._name(below)
            if entry.is_dir(follow_symlinks=False):
                self._add(below, name_all)

    def _name(self, path):
        self.named.add(os.fsdecode(path))
        try:
            status = os.lstat(os.path.join(self.root, path))
            if status.st_nlink > 1:
                self.linked.add(status.st_ino)
        except OSError:
            pass

    def _take(self):
        try:
            data = os.read(self._fd, 1 << 20)
        except BlockingIOError:
            return
        at, self.last = 0, time.monotonic()
        while at < len(data):
            watch, mask, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16:at + 16 + length].rstrip(b"\0")
            at += 16 + length
            self.events += 1
            self.overflowed = self.overflowed or bool(mask & OVERFLOW)
            if mask & IGNORED:
                self._paths.pop(watch, None)
            if watch not in self._paths or not name:
                continue
            path = os.path.join(self._paths[watch], name)
            self._name(path)
            if mask & ISDIR and mask & (CREATE | MOVED_TO):
                self._add(path, True)

    def _loop(self):
        while True:
            ready = select.select([self._fd, self._wake[0]], [], [])[0]
            if self._fd in ready:
                self._take()
            if self._wake[0] in ready:
                return

    def faults(self, records):
        """Sentences on named paths whose record is missing, stale or of nothing. records: live ones, {path: record}."""
        wrong = ["the kernel's queue ran over"] if self.overflowed else []
        for path in sorted(self.named):
            record = records.get(path)
            status = self._look(path)
            if not status:
                wrong += [f"a record of {path!r}, which is not there"] if record else []
                continue
            kind = {0o100000: "f", 0o40000: "d", 0o120000: "l"}.get(status.st_mode & 0o170000)
            if not kind:
                wrong += [f"a record of {path!r}, which is no file"] if record else []
            elif not record:
                wrong.append(f"no record of {path!r} ({kind})")
            elif not self._same(record["id"], status, kind):
                wrong.append(f"{path!r}: the record is of {record['id']}, the file is {_id(status, kind)}")
        return wrong

    def stray(self, path):
        """The path lies below what is no directory of the tree."""
        parent = self._look(os.path.dirname(path)) if "/" in path else os.lstat(self.root)
        return not parent or parent.st_mode & 0o170000 != 0o40000

    def _look(self, path):
        """lstat; a name behind a symbolic link is no name of the tree."""
        full = os.path.join(self.root, os.fsencode(path))
        try:
            return os.lstat(full) if os.path.realpath(os.path.dirname(full)) == os.path.dirname(full) else None
        except OSError:
            return None

    def _same(self, noted, status, kind):
        # A change through one of several names has no event for the others, and link() itself changes the ctime.
        linked = kind == "f" and (status.st_nlink > 1 or status.st_ino in self.linked)
        return noted.rsplit(".", 1)[0] == _id(status, kind).rsplit(".", 1)[0] if linked else noted == _id(status, kind)


def _id(status, kind):
    """core/base/record.h, put_id."""
    if kind == "d":
        return f"{status.st_ino}.{status.st_mode & 0o7777}.0.0"
    return f"{status.st_ino}.{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"
