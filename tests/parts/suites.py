"""The parts that are folders of test programs: each file counts its own cases."""
import glob
import os

from lib import build
from parts import builds


def _registered(report, path, suite):
    """The tests that meson knows under that suite, run directly so that their cases count. Returns the files they name."""
    named = set()
    for test in builds.tests(path):
        if any(s.split(":")[-1] == suite for s in test["suite"]):
            report.script(test["cmd"], env=dict(test["env"], WBSHIM_BUILD=path))
            named |= set(test["cmd"])
    return named


def _scripts(report, folder, path, without):
    for script in sorted(glob.glob(os.path.join(build.ROOT, "tests", folder, "*.py"))):
        if os.access(script, os.X_OK) and script not in without:  # what cannot be executed is a module
            report.script(["/usr/bin/python3", "-B", script], env={"WBSHIM_BUILD": path, "WBSHIM_TOOLS": path})


def _part(suite):
    def run(report):
        path = builds.gcc(report)
        if not path:
            return report.bad(f"{suite}: no build")
        return _scripts(report, suite, path, _registered(report, path, suite))
    return run


def models(report):
    report.script(["/usr/bin/python3", "-B", os.path.join(build.ROOT, "tests", "model", "run.py")])


CRASH = os.path.join(build.ROOT, "tests", "faults", "crash.py")


def faults(report):
    """crash.py against library and tools once more, with the steps at which they can be ended; the others against the usual ones."""
    path = builds.gcc(report)
    if path:
        _scripts(report, "faults", path, {CRASH})
    else:
        report.bad("faults: no build")
    path = builds.ready(report, "faults")
    if not path:
        return report.bad("faults: no build with its steps")
    return report.script(["/usr/bin/python3", "-B", CRASH], env={"WBSHIM_BUILD": path, "WBSHIM_TOOLS": path})


unit, integration, s3, diff, e2e = (_part(name) for name in ("unit", "integration", "s3", "diff", "e2e"))
builds_part = _part("builds")
