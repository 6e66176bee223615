"""The two sides of calls.py: the driver on a bare directory, and under the library on a prefix of the same length that does not exist."""
import os
import tempfile
import urllib.parse

from lib import build, process, records, resp, scratch, tree, volume

DRIVER = os.path.join(build.BUILD, "tests", "integration", "calls")


def operations():
    """{name: kind} of the driver's operations, in its order."""
    lines = process.run([DRIVER, "--list"], 10).stdout.decode().splitlines()
    return dict(reversed(line.split(" ", 1)) for line in lines)


class Side:
    """Runs cases: lists of (operation, Form). A directory of its own holds the directory under test, "wb", and "out" beside it."""

    def __init__(self, stack):
        self.base = stack.enter_context(scratch.directory(scratch.memory(), "wbcalls-")) + "/a/b"  # nothing climbs out of it
        os.makedirs(self.base)
        self.places = {"{R}": self.base + "/wb", "{O}": self.base + "/out", "{B}": self.base}

    def _expand(self, text):
        for mark, place in self.places.items():
            text = text.replace(mark, place)
        return urllib.parse.quote(os.fsencode(text), safe="/-=!{}")

    def _text(self, cases):
        for steps in cases:
            for operation, form in steps:
                path = "!" if form.path is None else "=" + form.path
                yield "\t".join([urllib.parse.quote(operation), *(self._expand(part) for part in (form.cwd, form.dirfd, path))])
            yield "."

    def start(self, cases, env, *wait):
        with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".cases", delete=False) as file:
            file.write("\n".join(self._text(cases)) + "\n")
        self.file = file.name
        pipe = process.subprocess.PIPE
        return process.start([DRIVER, self.base, self.places["{R}"], self.places["{O}"], file.name, *wait], env=env, cwd=self.base,
                             stdin=pipe, stdout=pipe)

    def lines(self, child, on_question=None):
        """A list of lines per case, the last of them what became of the tree."""
        found = []
        for raw in child.stdout:
            line = raw.decode().rstrip("\n")
            if line == "?":
                on_question()
                child.stdin.write(b"x")
                child.stdin.flush()
                continue
            found.append(line.replace(self.base, "{B}"))
            if line.startswith("tree "):
                yield found
                found = []
        child.stdin.close()
        ended = child.wait()
        os.unlink(self.file)
        if ended or found:
            raise AssertionError(f"the driver ended with {ended}; its last lines: {found}")


class Bare(Side):
    def run(self, cases):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": self.base}
        return self.lines(self.start(cases, env))


class Prefixed(Side):
    """Whenever a case left a trace, the records must agree with the tree."""

    def __init__(self, stack):
        super().__init__(stack)
        self.volume = stack.enter_context(volume.Volume(PREFIX=self.base + "/wb", UPLOAD_DELAY="1h"))
        self.volume.start_redis()
        self.redis = stack.enter_context(resp.Redis(self.volume.socket))
        self.wrong, self.known = [], set()
        self.checked = 0

    def run(self, cases):
        env = dict(self.volume.program_env(), PATH="/usr/bin:/bin")
        for lines in self.lines(self.start(cases, env, "wait"), self._check):
            yield lines + ["records: " + w for w in self.wrong]
            self.wrong = []

    def _check(self):
        """What was noted in the journal, as by processes that share memory with another, is the uploader's to record."""
        self.checked += 1
        if os.path.lexists(self.places["{R}"]):
            self.wrong.append("the prefix exists")
            tree_or_file = self.places["{R}"]
            (scratch.remove if os.path.isdir(tree_or_file) and not os.path.islink(tree_or_file) else os.unlink)(tree_or_file)
        now = tree.snapshot(self.volume.tree)
        wrong = records.disagreements(records.live(records.read(self.redis, self.volume.name)), now, self.volume.tree, self.places["{R}"], links=False)
        if wrong:
            noted = [path for _, path in self.volume.journal()]
            wrong = [w for w in wrong if not any(repr(path) in w or repr(path + "/")[:-1] in w for path in noted)]
        self.wrong += [w.replace(self.base, "{B}") for w in wrong if w not in self.known]
        self.known.update(w for w in wrong if w.startswith("a record of "))  # which nobody will take away any more
