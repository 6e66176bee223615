#!/usr/bin/env python3
"""All parts of the test run, in order; see tests/run. A part that cannot run counts as failed and stops nobody."""
import argparse
import importlib
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import process, report  # noqa: E402
from parts import beside, soak  # noqa: E402

# name, module of tests/parts, function, what it does
PARTS = [
    ("build-gcc", "builds", "gcc", "everything with gcc, warnings are errors"),
    ("format", "style", "layout", "clang-format on every C++ file"),
    ("structure", "structure", "run", "include directions, exports, layout, suppressions, sizes"),
    ("unit", "suites", "unit", "unit tests (doctest)"),
    ("models", "suites", "models", "the protocol's models, all interleavings"),
    ("integration", "suites", "integration", "parts against a real Redis and each other"),
    ("s3", "suites", "s3", "the store against radosgw and Swift"),
    ("diff", "suites", "diff", "programs on a bare directory and under the prefix"),
    ("e2e", "suites", "e2e", "from close() to the object"),
    ("faults", "suites", "faults", "power, Redis and store fail, everything dies at every named step; nothing acknowledged is lost"),
    ("builds", "suites", "builds_part", "whole builds under the prefix, every object compared"),
    ("install", "install", "run", "meson install, and a run from there"),
    ("build-clang", "builds", "clang", "everything with clang, ASan and UBSan, warnings are errors"),
    ("sanitizers", "sanitizers", "run", "ASan and UBSan; TSan for the uploader"),
    ("fuzz", "fuzz", "run", "short runs of the fuzz targets, with ASan and UBSan"),
    ("tidy", "style", "tidy", "clang-tidy on every C++ file"),
]


class Parser(argparse.ArgumentParser):
    def error(self, message):
        """One line; --help has the rest."""
        self.exit(2, f"{self.prog}: {message}\n")


def minutes(text):
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number <= 10000:
        raise argparse.ArgumentTypeError(f"takes minutes, 1 to 10000, not '{text}'")
    return number


def main():
    parser = Parser(prog="tests/run")
    parser.add_argument("parts", nargs="*", metavar="PART", help="default: all")
    parser.add_argument("--soak", metavar="MINUTES", type=minutes, help="only random histories with faults switched on, for so long")
    parser.add_argument("--list", action="store_true", help="print the parts and end")
    parser.add_argument("-v", "--verbose", action="store_true", help="print passed cases and whole outputs too")
    args = parser.parse_args()
    if args.list:
        for name, _, _, what in PARTS:
            print(f"{name:12s} {what}")
        return 0
    unknown = set(args.parts) - {p[0] for p in PARTS}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; tests/run --list names them")
    if args.soak and args.parts:
        parser.error("--soak takes no parts")
    process.ordinary_signals()
    process.adopt_orphans()
    total = report.Report(args.verbose)
    if args.soak:
        soak.run(total, args.soak)
        return total.close()
    others = None
    for name, module, function, _ in PARTS:
        if args.parts and name not in args.parts:
            continue
        print(f"== {name}", flush=True)
        start, passed, failed = time.monotonic(), total.passed, total.failed
        total.part = name
        try:
            getattr(importlib.import_module("parts." + module), function)(total)
        except Exception:  # the other parts still run
            total.bad(f"part {name} could not run", traceback.format_exc())
        if total.passed == passed and total.failed == failed:
            total.bad(f"part {name} ran no case")
        left = process.end_children(keep={others.pid} if others else ())
        if left:
            total.bad(f"part {name} left processes behind", str(left))
        print(f"== {name}: {total.passed - passed} passed, {total.failed - failed} failed"
              f" in {time.monotonic() - start:.1f} s", flush=True)
        if name == "build-gcc" and not args.parts:
            others = beside.start(["build-faults", "build-clang", "build-tsan", "tidy"])
    if others:
        others.end()
    return total.close()


sys.exit(main())
