"""ASan and UBSan over every program, TSan over the uploader (its metrics have a thread of their own).

The library itself is not preloaded sanitized, a host would have to be, too: its parts run sanitized in their unit tests.
"""
import os

from lib import build
from parts import builds

# A finding must fail the case. Leaks in daemons that end by signal are findings, too.
ASAN = {"ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1"}
TSAN = {"TSAN_OPTIONS": "halt_on_error=1:exitcode=99"}


def run(report):
    library = builds.gcc(report)
    checked = builds.ready(report, "asan", {"CC": "gcc", "CXX": "g++"}, ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1"],
                           builds.executables)
    if checked:
        for test in builds.tests(checked):
            if {s.split(":")[-1] for s in test["suite"]} & {"unit", "integration"}:
                report.script(test["cmd"], env=dict(test["env"], **ASAN, WBSHIM_BUILD=checked))
    else:
        report.bad("sanitizers: no ASan build")
    if library and checked:
        for script in ("lifecycle", "metrics", "alone"):
            _e2e(report, script, library, checked, ASAN)
    threads = builds.ready(report, "tsan", {"CC": "gcc", "CXX": "g++"}, ["-Db_sanitize=thread", "-Db_lundef=false", "-Doptimization=1"],
                           ["tools/wbshim-uploader", "tools/shim-ctl"])
    if library and threads:
        _e2e(report, "metrics", library, threads, TSAN)
    else:
        report.bad("sanitizers: no TSan build")


def _e2e(report, script, library, tools, env):
    """That script with the ordinary library in the programs and sanitized tools beside."""
    beside = os.path.join(tools, "shim", "libwbshim.so")  # where shim-ctl run looks for it
    if not os.path.lexists(beside):
        os.symlink(os.path.join(library, "shim", "libwbshim.so"), beside)
    report.script(["/usr/bin/python3", "-B", os.path.join(build.ROOT, "tests", "e2e", script + ".py")],
                  env=dict(env, WBSHIM_BUILD=library, WBSHIM_TOOLS=tools))
