#!/usr/bin/env python3
"""Every wrapped call with every spelling of a path, on a bare directory and under the prefix: the same results, errors and outputs, the
same tree afterwards; and records that agree with it. Then random sequences of such steps.

WBSHIM_SEED chooses a run, 0 a new one; WBSHIM_COUNT says how many sequences, "all": and that no share of the table is left out. A difference is printed with as few steps as show it.
"""
import contextlib
import itertools
import os
import random
import re
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
import call_forms  # noqa: E402
import call_sides  # noqa: E402
from lib import build, cases  # noqa: E402
from lib.cases import expect  # noqa: E402

SHOWN = int(os.environ.get("WBSHIM_SHOWN", 12))  # differences in full

# Rows of entry_points.def without an operation in the driver.
NOT_DRIVEN = {
    "acct": "turns the machine's accounting on", "swapon": "asks for a privilege before it looks at the path", "swapoff": "as swapon",
}

# (operation, form, reason): differences that cannot be removed. Both patterns must match the whole.
_PARENT = r".*'(\{R\}/\.\./?|\{R\}/n/\.\./\.\.|\{B\}/?|(\.\./)?\.\./?|ld/\.\./\.\.|with/\.\./\.\./\.\.|\.\./wb/\.\.|)'"
EXPECTED = [
    (r"(scandir|scandirat|opendir|closedir|glob|n?ftw|fts)(64)?(_\w+)?(:.*)?|catopen", _PARENT, "its parent is listed without the prefix"),
    (r"glob(64)?:\*.*", r".*\.\./wb'|.*\{B\}//?wb'|.*\{R\}'", "the same, for a pattern"),
    (r"(rename|syscall:rename).*", _PARENT, "a rename of the prefix' parent fails; by which errno depends on which error is seen first"),
    (r"(syscall:)?(rmdir|remove|unlinkat).*", _PARENT, "that the prefix' parent cannot be removed is said by another errno"),
    (r"fts(64)?_\w+:.*", r".*\bd/'", "libc cuts the slash of a root on the way back only"),
    (r"(syscall:)?execveat.*", r".* dirfd \w\{[RO]\}.* '\.\./.*", "the kernel names a script by its descriptor; the prefix, by its name"),
    (r"fchownat:empty|futimesat:null", r".* dirfd d\{R\}(/n)? '\.\.'", "prints the side's own scratch directory"),
    (r".*:(exclusive|wx)", _PARENT, "that the parent exists is said by another errno"),
    (r"(syscall:)?symlink(at)?.*", r".*lout/missing.", "a link made through one that leads out keeps the name of the tree"),
    (r"symlink:to it.*|symlinkat:to it.*", r".*", "links outside that lead in, or that climb: README, Limits"),
    (r"(syscall:)?(bind|getsockname|accept|recv|__recv).*", r".*(\.\./|/\./|//).*", "an address is told as the kernel keeps it, cleaned"),
    (r"dlerror", r".* '.*(\.\.|//|/\./).*'", "a path across the border is named as it was followed"),
    (r"symlink:root.*", r".*(out/missing|\{O\}/missing|\{R\}x|wbx)'|cwd \{O\} .*'new'", "a link outside that leads in: README, Limits"),
    (r".*:path\+nofollow", r".*labs'", "fstat() of a link's own descriptor tells the length of the kept text"),
    (r"posix_spawn_file_actions_.*|utmpx?name|pathconf.*|(syscall:)?(readlink|truncate).*|__readlink.*|.*mknod.*|link.*|symlink.*|mko?stemps?(64)?.*|(__)?mkd?temp.*|syscall:inotify_add_watch",
     r".*(\(5004\)|(missing|of)/\.\./\.\./wb/f|out/of)'",
     "a path that cannot be followed is refused before the other arguments are looked at"),
]
_CROSSES = re.compile(r"(syscall:)?(rename|link)(at)?2?\b")
_EXPECTED = [(re.compile(o, re.S), re.compile(f, re.S)) for o, f, _ in EXPECTED]


def excused(step):
    return any(o.fullmatch(step[0]) and f.fullmatch(str(step[1])) for o, f in _EXPECTED)


def rows():
    with open(os.path.join(build.ROOT, "shim", "entry_points.def"), encoding="utf-8") as f:
        return {m[2] for m in re.finditer(r"^WB_FN(_VARIADIC)?\([^,]+, (\w+),", f.read(), re.M)}


def numbers():
    with open(os.path.join(build.ROOT, "shim", "raw.cc"), encoding="utf-8") as f:
        return set(re.findall(r"case SYS_(\w+):", f.read()))


def complete():
    names = operations()
    driven = {name.split(":")[0] for name in names}
    expect(sorted(rows() - driven - set(NOT_DRIVEN) - {"syscall"}), [], "rows of entry_points.def without an operation")
    expect(sorted(set(NOT_DRIVEN) - rows()), [], "exceptions that are no rows")
    by_number = {re.split(r"[:+]", name)[1] for name in names if name.startswith("syscall:")}
    expect(sorted(numbers() - by_number), [], "numbers of raw.cc without an operation")


class Sides:
    """Both sides, and what differed."""

    def __init__(self, stack):
        self.bare, self.prefixed = call_sides.Bare(stack), call_sides.Prefixed(stack)

    def results(self, todo):
        """Pairs of lists of lines, a pair per case; the sides run at the same time."""
        wanted = []
        thread = threading.Thread(target=lambda: wanted.extend(self.bare.run(todo)), daemon=True)
        thread.start()
        got = list(self.prefixed.run(todo))
        thread.join()
        expect((len(wanted), len(got)), (len(todo), len(todo)), "cases that were run")
        return zip(wanted, got)

    def differ(self, steps):
        (wanted, got), = self.results([steps])
        return None if same(steps, wanted, got) else (wanted, got)


def same(steps, wanted, got):
    """Or one of the differences that the border between two file systems makes."""
    if wanted == got or any("signal " in line for line in wanted):  # what kills a program on a bare directory is its own fault
        return True
    first = next((one for one in zip(steps, wanted, got) if one[1] != one[2]), None)  # after it the sides have different trees
    if not first or not _CROSSES.match(first[0][0]) or (len(steps) == 1 and got[1:] != ["tree same"]):
        return False
    return first[2] == "-1 EXDEV" and first[1] in ("0", "-1 EBUSY", "-1 EINVAL", "-1 ENOTEMPTY", "-1 EISDIR", "-1 ENOTDIR", "-1 EPERM")


def shrunk(sides, steps):
    for length in range(1, len(steps)):
        for fewer in itertools.combinations(steps, length):
            if sides.differ(list(fewer)):
                return list(fewer)
    return steps


def told(sides, steps, found):
    """A difference: the steps that show it, the lines that differ, and of a line about the tree the parts that do."""
    if len(steps) > 1:
        steps = shrunk(sides, steps)
        found = sides.differ(steps)
    text = "".join(f"  {operation} | {form}\n" for operation, form in steps)
    if not found:
        return text + "    not seen again\n"
    for wanted, got in itertools.zip_longest(*found, fillvalue=""):
        if wanted != got:
            parts = [side.split("; ") for side in (wanted, got)]
            only = ["; ".join(p for p in mine if p not in other or len(mine) == 1) for mine, other in (parts, parts[::-1])]
            text += f"    wanted {only[0]}\n    got    {only[1]}\n"
    return text


def compare(todo):
    print(f"    WBSHIM_SEED={seed}")
    with contextlib.ExitStack() as stack:
        sides = Sides(stack)
        wrong = [(steps, found) for steps, found in zip(todo, sides.results(todo)) if not same(steps, *found)]
        print(f"    {len(todo)} cases; the records were looked at after {sides.prefixed.checked} of them", flush=True)
        if wrong:
            first = {str(steps[-1][1]): (steps, found) for steps, found in reversed(wrong)}  # one of every spelling
            text = "".join(told(sides, *one) for one in (wrong if SHOWN > len(wrong) else list(first.values())[:SHOWN]))
            raise AssertionError(f"{len(wrong)} cases differ; the first of them:\n{text}")
        expect(os.path.lexists(sides.prefixed.places["{R}"]), False, "the prefix exists")
        expect(sides.prefixed.checked > 0 and bool(sides.prefixed.volume.records()), True, "records were looked at")


def operations():
    try:
        return call_sides.operations()
    except OSError:
        return {}


def systematic(names, turn):
    compare([[cell] for cell in call_forms.cells(names, turn) if not excused(cell)])


def sequences(names, start, count):
    dice = random.Random(start)
    table = list(names.items())

    def step():
        name, kind = dice.choice(table)
        return name, dice.choice(call_forms.of_kind(kind))
    todo = [[step() for _ in range(dice.randint(1, 6))] for _ in range(count)]
    compare([steps for steps in todo if not any(excused(s) for s in steps)])


cases.add("every row has an operation", complete)
known = operations()
# The same cases in every run of all tests, so that a change is judged by them alone; WBSHIM_SEED=0 chooses others.
seed = os.environ.get("WBSHIM_SEED", "1")
seed = seed if seed != "0" else str(random.SystemRandom().randrange(10**9))
whole = os.environ.get("WBSHIM_COUNT") == "all"
cases.add("every operation with every path", lambda: systematic(known, None if whole else int(seed)), 1200)
cases.add("sequences", lambda: sequences(known, seed, 20000 if whole else int(os.environ.get("WBSHIM_COUNT", 2000))), 1200)
cases.main()
