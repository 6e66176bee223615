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
    targets: what to build instead of all."""
    if kind not in _done:
        path = directory(kind)
        setup = ["meson", "setup", path, build.ROOT, "-Dwerror=true", "-Dbuildtype=debugoptimized", *options]
        if os.path.exists(os.path.join(path, "build.ninja")):
            setup.insert(2, "--reconfigure")
        _done[kind] = report.command(f"configure ci-{kind}", setup, env=dict(os.environ, **(env or {}))) and _build(report, kind, targets)
    return directory(kind) if _done[kind] else None


def _build(report, kind, targets):
    return report.command(f"build ci-{kind}", ["ninja", "-C", directory(kind), *targets], timeout=2400)


def gcc(report):
    return ready(report, "gcc", {"CC": "gcc", "CXX": "g++"})


def clang(report):
    # One build for three wants: clang's warnings, the sanitized programs, and the fuzz targets.
    return ready(report, "clang", {"CC": "clang", "CXX": "clang++"},
                 ["-Dfuzzers=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1"])


def tests(path):
    """What the build registers as tests: [{name, suite, cmd, env, workdir}]."""
    out = subprocess.run(["meson", "introspect", "--tests", path], check=True, capture_output=True).stdout
    return json.loads(out)
