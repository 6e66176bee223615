"""The project's own files: what git tracks, and what it would take."""
import os
import subprocess

from lib import build


def files():
    """Relative paths, sorted. Outside of git: everything but build directories and caches."""
    try:
        out = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=build.ROOT, check=True, capture_output=True).stdout
        names = [os.fsdecode(n) for n in out.split(b"\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for directory, below, found in os.walk(build.ROOT):
            below[:] = [b for b in below if b != ".git" and b != "__pycache__" and not b.startswith("build")]
            names += [os.path.relpath(os.path.join(directory, f), build.ROOT) for f in found]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(build.ROOT, n)))


def cpp():
    """Sources and headers of our own."""
    return [f for f in files() if f.endswith((".cc", ".h", ".c")) and not f.startswith("tests/diff/projects/")
            and not f.startswith("tests/builds/projects/")]


def text(name):
    with open(os.path.join(build.ROOT, name), encoding="utf-8", errors="surrogateescape") as f:
        return f.read()
