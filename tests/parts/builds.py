"""Build directories, each configured and built at most once a run."""
import json
import os
import subprocess

from lib import build
from parts import beside

_GCC, _CLANG = {"CC": "gcc", "CXX": "g++"}, {"CC": "clang", "CXX": "clang++"}
_SANITIZED = ["-Db_lundef=false", "-Doptimization=1"]
TOOLS = ["tools/shim-ctl", "tools/wbshim-uploader"]
FAULTS = ["shim/libwbshim.so", "tests/faults/workload", *TOOLS]
# kind: compilers, options, what to build instead of all
KINDS = {
    "gcc": (_GCC, [], []),
    # One build for three wants: clang's warnings, the sanitized programs, and the fuzz targets.
    "clang": (_CLANG, ["-Dfuzzers=true", "-Db_sanitize=address,undefined", *_SANITIZED], []),
    "tsan": (_GCC, ["-Db_sanitize=thread", *_SANITIZED], TOOLS),
    "faults": (_GCC, ["-Dfaults=true"], FAULTS),
}
_done = {}


def directory(kind):
    return os.path.join(build.BUILD_ROOT, "ci-" + kind)


def ready(report, kind, targets=None):
    """Configures and builds BUILD_ROOT/ci-<kind>; two cases the first time. Returns the directory, or None when it failed.
    targets: those alone, for a run that wants no others."""
    if kind not in _done:
        beside_us = beside.counted(report, "build-" + kind)
        _done[kind] = _make(report, kind, targets) if beside_us is None else beside_us
    return directory(kind) if _done[kind] else None


def _make(report, kind, only):
    compilers, options, targets = KINDS[kind]
    path = directory(kind)
    setup = ["meson", "setup", path, build.ROOT, "-Dwerror=true", "-Dbuildtype=debugoptimized", *options]
    if os.path.exists(os.path.join(path, "build.ninja")):
        setup.insert(2, "--reconfigure")
    return report.command(f"configure ci-{kind}", setup, env=dict(os.environ, **compilers)) and \
        report.command(f"build ci-{kind}", ["ninja", "-C", path, *(only or targets)], timeout=3600)


def gcc(report):
    return ready(report, "gcc")


def clang(report):
    return ready(report, "clang")


def tests(path):
    """What the build registers as tests: [{name, suite, cmd, env, workdir}]."""
    out = subprocess.run(["meson", "introspect", "--tests", path], check=True, capture_output=True).stdout
    return json.loads(out)
