"""Cases of one test script: declared by @case, run in order by main(), counted, and closed by one line."""
import argparse
import os
import signal
import sys
import time
import traceback

from lib import process

_cases = []
_sums = []


def case(name, seconds=120):
    """Declare a function as the case of that name; past its bound it fails."""
    def add(function):
        _cases.append((name, seconds, function))
        return function
    return add


def add(name, function, seconds=120):
    """The same for cases made from a table."""
    _cases.append((name, seconds, function))


def at_end(function):
    """Its text is printed before the closing line."""
    _sums.append(function)


def expect(actual, wanted, what):
    """Fail with both values when they differ."""
    if actual != wanted:
        raise AssertionError(f"{what}:\n    got    {actual!r}\n    wanted {wanted!r}")


def expect_in(part, whole, what):
    if part not in whole:
        raise AssertionError(f"{what}:\n    missing {part!r}\n    in      {whole!r}")


def expect_one_line(done, status, *parts):
    """The command ended with that status and one line on standard error that holds the parts."""
    lines = done.stderr.decode().splitlines()
    expect((done.returncode, len(lines)), (status, 1), f"exit status and lines of stderr; {lines}")
    for part in parts:
        expect_in(part, lines[0], "the line")


def fail(message):
    raise AssertionError(message)


def _out_of_time(*_):
    raise TimeoutError("the case's time is up")


def _run(name, seconds, function):
    """One case; returns what went wrong, or None."""
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(seconds)
    try:
        function()
        return None
    except (AssertionError, TimeoutError) as e:
        return str(e)
    except Exception:  # a broken test is a failed test
        return "".join(traceback.format_exc(limit=-3))
    finally:
        signal.alarm(0)


def closing_line(passed, failed):
    return f"{passed} passed, {failed} failed"


def main():
    """Run the declared cases; with arguments, those whose names contain one of them. Ends the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="only cases whose name contains one of these")
    parser.add_argument("--list", action="store_true", help="print the names, run nothing")
    args = parser.parse_args()
    chosen = [c for c in _cases if not args.names or any(n in c[0] for n in args.names)]
    if args.list:
        print("\n".join(c[0] for c in chosen))
        sys.exit(0)
    process.ordinary_signals()
    process.adopt_orphans()
    failed = 0
    for name, seconds, function in chosen:
        start = time.monotonic()
        problem = _run(name, seconds, function)
        print(f"{'FAIL' if problem else 'ok  '} {name} ({time.monotonic() - start:.2f} s)", flush=True)
        if problem:
            failed += 1
            print("    " + problem.rstrip().replace("\n", "\n    "), flush=True)
    left = process.end_children()
    if left:
        failed += 1
        print(f"FAIL nothing is left running\n    {left}")
    for say in _sums:
        print("    " + say())
    print(closing_line(len(chosen) + (1 if left else 0) - failed, failed), flush=True)
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # threads of servers in a failed case must not keep us
