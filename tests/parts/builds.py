"""Build directories, each configured and built at most once a run."""
import json
import os
import subprocess

from lib import build

_done = {}


def directory(kind):
    return os.path.join(build.BUILD_ROOT, "ci-" + kind)


def ready(report, kind, env=None, options=(), targets=()):
    """Configure and build BUILD_ROOT/ci-<kind>; two cases the first time. Returns the directory, or None when it failed.
    targets: what to build instead of all; a function is asked with the configured directory."""
    if kind not in _done:
        path = directory(kind)
        setup = ["meson", "setup", path, build.ROOT, "-Dwerror=true", "-Dbuildtype=debugoptimized", *options]
        if os.path.exists(os.path.join(path, "build.ninja")):
            setup.insert(2, "--reconfigure")
        _done[kind] = report.command(f"configure ci-{kind}", setup, env=dict(os.environ, **(env or {}))) and _build(report, kind, targets)
    return directory(kind) if _done[kind] else None


def _build(report, kind, targets):
    path = directory(kind)
    chosen = targets(path) if callable(targets) else targets
    return report.command(f"build ci-{kind}", ["ninja", "-C", path, *chosen], timeout=2400)


def executables(path):
    """Every program of a configured directory, relative to it."""
    out = subprocess.run(["meson", "introspect", "--targets", path], check=True, capture_output=True).stdout
    return [os.path.relpath(name, path) for target in json.loads(out) if target["type"] == "executable" for name in target["filename"]]


def gcc(report):
    return ready(report, "gcc", {"CC": "gcc", "CXX": "g++"})


def clang(report):
    # Nothing of it is run: what it says while compiling is all that is wanted.
    return ready(report, "clang", {"CC": "clang", "CXX": "clang++"}, ["-Doptimization=0"])


def tests(path):
    """What the build registers as tests: [{name, suite, cmd, env, workdir}]."""
    out = subprocess.run(["meson", "introspect", "--tests", path], check=True, capture_output=True).stdout
    return json.loads(out)
