"""What a directory must hold: operations as a script for the workload program, and what they make of it.

A state maps paths to ("f", bytes), ("l", target) or ("d",). An operation that was begun and not acknowledged may have happened or not,
and of a file that was being written any beginning may be there.
"""
import os

from lib import tree

SMALL, BIG = 300, 12000  # bytes; a file of the second kind is over WBSHIM_WRITEBACK_MAX_SIZE


def content(number, size):
    """As the workload program makes it."""
    return (b"%07d\n" % number * (size // 8 + 1))[:size]


WRITES = ("write", "map", "dup", "stream", "exec", "temp", "left")


def apply(state, line):
    """The state after an operation that succeeded."""
    act, *words = line
    after = dict(state)
    if act in WRITES:
        after[words[0]] = ("f", content(int(words[1]), int(words[2])))
    elif act == "append":
        old = state.get(words[0], ("f", b""))
        after[words[0]] = ("f", old[1] + content(int(words[1]), int(words[2])))
    elif act == "truncate":
        size = int(words[1])
        after[words[0]] = ("f", state[words[0]][1][:size].ljust(size, b"\0"))
    elif act in ("unlink", "rmdir"):
        del after[words[0]]
    elif act == "mkdir":
        after[words[0]] = ("d",)
    elif act == "symlink":
        after[words[1]] = ("l", words[0])
    elif act in ("rename", "swap"):
        one, two = words
        for path in state:
            for old, new in ((one, two), (two, one)):
                if path == old or path.startswith(old + "/"):
                    after.pop(path, None)
        for path, entry in state.items():
            if path == one or path.startswith(one + "/"):
                after[two + path[len(one):]] = entry
            elif act == "swap" and (path == two or path.startswith(two + "/")):
                after[one + path[len(two):]] = entry
    return after


def _written(line):
    """The path of which a beginning may be there, and that whole content."""
    if line[0] in WRITES and line[0] != "temp":
        return line[1], content(int(line[2]), int(line[3]))
    return None, None


class Script:
    """Operations in one directory of the prefix, made up from the state it has; what became of them is read from the log."""

    def __init__(self, state, top, draw, number):
        self.state, self.top, self.draw, self.number = dict(state), top, draw, number
        self.lines, self.before = [], [dict(state)]
        if top not in state:
            self.add("mkdir", top)

    def add(self, *line):
        line = [str(word) for word in line]
        self.lines.append(line)
        self.before.append(apply(self.before[-1], line))

    @property
    def now(self):
        return self.before[-1]

    def of(self, kind):
        return sorted(p for p, e in self.now.items() if e[0] == kind and p != self.top)

    def place(self):
        return f"{self.draw.choice([self.top] + self.of('d'))}/f{self.draw.randrange(6)}"

    def fresh(self):
        self.number += 1
        return self.number

    def write(self, act="write", big=False):
        path = self.place()
        entry = self.now.get(path)
        if entry and entry[0] != "f" or act == "temp" and entry:
            return self.add("unlink", path)
        size = self.draw.randrange(BIG, 2 * BIG) if big else self.draw.randrange(1, SMALL)
        return self.add(act, path, self.fresh(), size)

    def step(self):
        """One more operation, whatever can be done now."""
        draw, files, directories = self.draw, self.of("f"), self.of("d")
        kind = draw.choices(["write", "append", "act", "big", "rename", "unlink", "tree", "mkdir", "rmdir", "attributes", "link", "swap"],
                            [10, 2, 8, 2, 5, 6, 5, 4, 2, 2, 1, 1])[0]
        if kind == "act":
            return self.write(draw.choice(["map", "dup", "stream", "exec", "temp"]))
        if kind == "big":
            return self.write(big=True)
        if kind == "append" and files:
            return self.add("append", draw.choice(files), self.fresh(), draw.randrange(1, SMALL))
        if kind == "rename" and files:
            old, new = draw.choice(files), self.place()
            if old != new:
                return self.add("rename", old, new)
        if kind == "unlink" and files + self.of("l"):
            return self.add("unlink", draw.choice(files + self.of("l")))
        if kind == "tree" and directories:
            old, new = draw.choice(directories), f"{draw.choice([self.top] + directories)}/d{self.fresh()}"
            if not (new + "/").startswith(old + "/") and new.count("/") < 4:
                return self.add("rename", old, new)
        if kind == "mkdir" and len(directories) < 5:
            return self.add("mkdir", f"{draw.choice([self.top] + [d for d in directories if d.count('/') < 3])}/d{self.fresh()}")
        if kind == "rmdir":
            return self.empty_and_remove()
        if kind == "attributes" and files:
            name = draw.choice(files)
            return self.add(*draw.choice([("chmod", draw.choice(["600", "644"]), name), ("truncate", name, draw.randrange(SMALL))]))
        if kind == "link" and not self.now.get(f"{self.top}/l{self.number % 4}"):
            return self.add("symlink", "f0", f"{self.top}/l{self.number % 4}")
        if kind == "swap" and len(files) > 1:
            return self.add("swap", *draw.sample(files, 2))
        return self.write()

    def empty_and_remove(self):
        """A directory goes, with all that is in it."""
        if not self.of("d"):
            return
        top = self.draw.choice(self.of("d"))
        for path in sorted((p for p in self.now if p.startswith(top + "/")), reverse=True):
            self.add("rmdir" if self.now[path][0] == "d" else "unlink", path)
        self.add("rmdir", top)

    def contents(self):
        """{path: every content that it may have at some time}."""
        found = {}
        for state in self.before:
            for path, entry in state.items():
                found.setdefault(path, set()).add(os.fsencode(entry[-1]))
        return found

    def outcome(self, log, ended, actual):
        """What must be there now; the sentences on how `actual` differs from it. ended: the program exited by itself."""
        state, begun, failed = dict(self.state), None, []
        for text in log.splitlines():
            what, number, *rest = text.split()
            line = self.lines[int(number)]
            if what == "B":
                begun = line
            elif what == "A":
                if line[0] != "left":
                    begun = None
                elif not ended:
                    continue
                state = apply(state, line)
            else:
                begun = None
                if rest != ["5"]:  # EIO: a big file that could not be stored; its copy stays
                    failed.append(f"{line} failed with errno {rest}")
                else:
                    state = apply(state, line)
        if ended and begun and begun[0] != "left":
            failed.append(f"the program ended in {begun}")
        return (actual if not failed and _possible(state, begun, actual) else state), failed + _differences(state, begun, actual)


def _possible(state, begun, actual):
    return not _differences(state, begun, actual)


def _differences(state, begun, actual):
    if actual == state or begun and actual == apply(state, begun):
        return []
    path, whole = _written(begun) if begun else (None, None)
    if path and path in actual and actual[path][0] == "f" and _beginning(actual[path][1], whole):
        state = dict(state, **{path: actual[path]})
    if begun and begun[0] == "append" and actual.get(begun[1], (0,))[0] == "f":
        old = state.get(begun[1], ("f", b""))[1]
        if _beginning(actual[begun[1]][1], old + content(int(begun[2]), int(begun[3]))) and len(actual[begun[1]][1]) >= len(old):
            state = dict(state, **{begun[1]: actual[begun[1]]})
    return [f"{p!r} is {_short(actual.get(p))}, acknowledged was {_short(state.get(p))} (begun: {begun})"
            for p in sorted(set(state) | set(actual)) if state.get(p) != actual.get(p)]


def _beginning(bytes_there, whole):
    """Also zeros: a mapping's file has its size before its bytes."""
    n = len(bytes_there.rstrip(b"\0"))
    return len(bytes_there) <= len(whole) and bytes_there[:n] == whole[:n]


def _short(entry):
    if entry and entry[0] == "f":
        return f"{len(entry[1])} bytes {entry[1][:8]!r}…{entry[1][-8:]!r}"
    return repr(entry)


def there(root, top):
    """The state that a directory below `root` has."""
    base = os.path.join(root, top)
    found = {top: ("d",)} if os.path.isdir(base) else {}
    for path, entry in tree.snapshot(base).items():
        name = f"{top}/{path}"
        if entry.kind == "f":
            with open(os.path.join(root, name), "rb") as f:
                found[name] = ("f", f.read())
        elif entry.kind == "l":
            found[name] = ("l", entry.target)
        elif entry.kind == "d":
            found[name] = ("d",)
    return found
