"""A directory tree as plain data, to compare two of them."""
import hashlib
import os
import stat


class Entry:
    """One name: type, mode, size, content or link target, and which other names are the same file."""

    def __init__(self, kind, mode, size=0, digest="", target="", mtime_ns=0, text=b""):
        self.kind, self.mode, self.size, self.digest = kind, mode, size, digest
        self.target, self.mtime_ns, self.text = target, mtime_ns, text
        self.links = ()

    def facts(self, content=True, mtime=False):
        """What must be equal, as a dictionary."""
        facts = {"type": self.kind, "mode": oct(self.mode)}
        if self.kind == "l":
            facts["target"] = self.target
        if self.kind == "f" and content:
            facts["size"], facts["content"] = self.size, self.digest
        if self.links:
            facts["same file as"] = self.links
        if mtime:
            facts["mtime_ns"] = self.mtime_ns
        return facts


_KINDS = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFSOCK: "s"}


def snapshot(root, renames=()):
    """{relative path: Entry} of everything below root. renames: (bytes, bytes) pairs replaced in contents and targets."""
    found, inodes = {}, {}
    root = os.fsencode(root)
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            relative = os.fsdecode(os.path.relpath(path, root))
            found[relative] = entry = _look(path, renames)
            if entry.kind == "f":
                status = os.lstat(path)
                if status.st_nlink > 1:
                    inodes.setdefault((status.st_dev, status.st_ino), []).append(relative)
    for group in inodes.values():
        for name in group:
            found[name].links = tuple(sorted(group))
    return found


def _replace(data, renames):
    for old, new in renames:
        data = data.replace(old, new)
    return data


def _look(path, renames):
    status = os.lstat(path)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "?")
    entry = Entry(kind, stat.S_IMODE(status.st_mode), mtime_ns=status.st_mtime_ns)
    if kind == "l":
        entry.target = os.fsdecode(_replace(os.readlink(path), renames))
        entry.size = status.st_size
    elif kind == "f":
        with open(path, "rb") as f:
            entry.text = f.read()
        entry.size = len(entry.text)
        entry.digest = hashlib.sha256(_replace(entry.text, renames)).hexdigest()
    return entry
