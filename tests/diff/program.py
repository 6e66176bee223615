"""The table of programs (programs.txt) as data."""
import fnmatch
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


class Program:
    """One case: its script, and how strictly two runs of it are compared."""

    def __init__(self, name, tool, options, script):
        self.name, self.tool, self.script = name, tool, script
        self.shell = ["/bin/bash", "-c"]
        self.mtime, self.loose = set(), []
        self.links, self.batch, self.seconds = True, False, 60
        for option in options.split():
            key, _, value = option.partition("=")
            if key == "sh":
                self.shell = ["/bin/" + value, "-c"]
            elif key == "mtime":
                self.mtime = set(value.split(","))
            elif key == "loose":
                self.loose = value.split(",")
            elif key == "links":
                self.links = value != "no"
            elif key == "batch":
                self.batch = True
            elif key == "seconds":
                self.seconds = int(value)
            else:
                raise ValueError(f"{name}: unknown option {option!r}")

    def is_loose(self, path):
        """Whether that path's content is not compared."""
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self.loose)


def table():
    """All rows, in order."""
    with open(os.path.join(HERE, "programs.txt"), encoding="utf-8") as f:
        parts = re.split(r"^== (.*)\n", f.read(), flags=re.M)
    rows = []
    for head, script in zip(parts[1::2], parts[2::2]):
        name, tool, options = ([p.strip() for p in head.split("|")] + ["", ""])[:3]
        if any(r.name == name for r in rows):
            raise ValueError(f"two programs are called {name}")
        rows.append(Program(name, tool, options, script))
    return rows
