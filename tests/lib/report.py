"""The count of a whole run: every part adds its cases here, in its own process or by the closing line of a script."""
import os
import re
import sys
import time

from lib import build, process

_CLOSING = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
_DOCTEST = re.compile(r"\[doctest\] test cases:\s+\d+\s+\|\s+(\d+) passed\s+\|\s+(\d+) failed")


class Report:
    """Counts and prints. Nothing here ends the run."""

    def __init__(self, verbose=False):
        self.passed = self.failed = 0
        self.verbose = verbose
        self.failures = []  # (part, name)
        self.part = ""

    def ok(self, name, count=1):
        self.passed += count
        if self.verbose:
            print(f"ok   {name}", flush=True)

    def bad(self, name, detail="", count=1):
        self.failed += count
        self.failures.append((self.part, name))
        print(f"FAIL {name}", flush=True)
        if detail:
            print("    " + detail.rstrip()[-6000:].replace("\n", "\n    "), flush=True)

    def check(self, name, problems):
        """One case that passes when the list of problems is empty."""
        if problems:
            self.bad(name, "\n".join(problems))
        else:
            self.ok(name)

    def command(self, name, argv, timeout=900, **options):
        """One case: a command that must exit 0. Its output is shown when it does not. Returns whether it did."""
        code, text = process.said(argv, timeout, cwd=options.pop("cwd", build.ROOT), **options)
        if code != 0:
            self.bad(f"{name} (exit {code})", text)
        else:
            self.ok(name)
        return code == 0

    def script(self, argv, timeout=1800, env=None):
        """A test program that counts for itself: closed by "N passed, N failed", by doctest's summary, or by its exit status."""
        name = " ".join(os.path.relpath(a, build.ROOT) if os.path.isabs(a) else a for a in argv if not a.startswith("/usr/bin/python"))
        name = name.removeprefix("-B ")
        start = time.monotonic()
        code, text = process.said(argv, timeout, cwd=build.ROOT, env=dict(os.environ, **(env or {})))
        if code is None:
            self.bad(name, text)
        else:
            self.count(name, code, text, time.monotonic() - start)

    def count(self, name, code, text, seconds):
        """What a test program said of its cases."""
        closing = _CLOSING.findall(text)[-1:] or _DOCTEST.findall(text)[-1:]
        passed, failed = map(int, closing[0]) if closing else ((1, 0) if code == 0 else (0, 1))
        if code and not failed:
            failed = 1
        if not passed + failed:
            failed = 1
            text += "\nthis script ran no case"
        print(f"  {name}: {passed} passed, {failed} failed ({seconds:.1f} s)", flush=True)
        self.passed += passed
        if failed:
            shown = text if self.verbose else _failures(text)
            self.bad(f"{name}: {failed}", shown, failed)

    def close(self):
        """The summary, the closing line; returns the exit status."""
        for part, name in self.failures:
            print(f"failed in {part}: {name}")
        sys.stdout.flush()
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def _failures(text):
    """The FAIL lines of a script with what is indented below them; the whole text's end when there are none."""
    shown, keep = [], False
    for line in text.splitlines():
        if line.startswith("FAIL"):
            keep = True
        elif not line.startswith((" ", "\t")):
            keep = False
        if keep:
            shown.append(line)
    return "\n".join(shown) or text[-4000:]
