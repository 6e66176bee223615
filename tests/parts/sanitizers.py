"""ASan and UBSan over every program, TSan over the uploader (its metrics and the renewal of its keys have threads of their own).

The library itself is not preloaded sanitized, a host would have to be, too: its parts run sanitized in their unit tests.
"""
import os
import shutil

from lib import build, scratch
from parts import builds

# A finding must fail the case. Leaks in daemons that end by signal are findings, too.
ASAN = {"ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1"}
TSAN = {"TSAN_OPTIONS": "halt_on_error=1:exitcode=99"}


def run(report):
    library = builds.gcc(report)
    checked = builds.clang(report)
    if checked:
        for test in builds.tests(checked):
            if {s.split(":")[-1] for s in test["suite"]} & {"unit", "integration"}:
                report.script(test["cmd"], env=dict(test["env"], **ASAN, WBSHIM_BUILD=checked))
    else:
        report.bad("sanitizers: no ASan build")
    if library and checked:
        _e2e(report, ("lifecycle", "metrics", "alone"), library, checked, ASAN)
    threads = builds.ready(report, "tsan")
    if library and threads:
        _e2e(report, ("metrics", "credentials"), library, threads, TSAN)
    else:
        report.bad("sanitizers: no TSan build")


def _e2e(report, scripts, library, sanitized, env):
    """Those scripts with the ordinary library in the programs, and sanitized tools."""
    with scratch.directory() as beside:  # shim-ctl looks for library and uploader in its own build directory
        for part in ("tools", "shim"):
            os.mkdir(os.path.join(beside, part))
        os.symlink(os.path.join(library, "shim", "libwbshim.so"), os.path.join(beside, "shim", "libwbshim.so"))
        for name in builds.TOOLS:
            shutil.copy2(os.path.join(sanitized, name), os.path.join(beside, name))
        for script in scripts:
            report.script(["/usr/bin/python3", "-B", os.path.join(build.ROOT, "tests", "e2e", script + ".py")],
                          env=dict(env, WBSHIM_BUILD=library, WBSHIM_TOOLS=beside))
