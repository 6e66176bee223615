"""libc's symbols against what is wrapped: none that takes a path may be forgotten, today's or tomorrow's."""
import fnmatch
import re
import subprocess

from parts import tree

NOT_WRAPPED = "shim/not_wrapped.txt"
NO_PATH = "tests/parts/no_path.txt"
# The other names under which libc offers the same function.
SIBLINGS = ("{}64", "__{}", "__{}64", "__{}_2", "__{}64_2", "__{}_chk", "__{}64_chk", "{}_chk", "__x{}", "__x{}64", "__fx{}", "{}_time64", "__libc_{}")


def libc_functions(path):
    """Defined functions of a library, without versions."""
    lines = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.split()[-2] in "TWi"}


def libc_at_hand():
    """The libc that this interpreter runs on."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return re.search(r"(/\S*/libc(?:-[0-9.]+)?\.so(?:\.6)?)$", maps.read(), re.M).group(1)


def _lines(name):
    return [line for line in tree.text(name).splitlines() if line.strip() and not line.startswith("#")]


def listed():
    """Name → reason."""
    reasons = {}
    for line in _lines(NOT_WRAPPED):
        names, _, reason = line.partition("|")
        for name in names.split():
            reasons[name] = reason.strip()
    return reasons


def unknown(symbols, wrapped, reasons, words):
    """Symbols that nobody has looked at."""
    families = [w for w in words if re.search(r"[*\[?]", w)]
    names = set(words) - set(families)
    siblings = {pattern.format(name) for name in wrapped for pattern in SIBLINGS}
    found = []
    for symbol in sorted(symbols - wrapped - set(reasons)):
        if symbol in names:
            continue
        if symbol in siblings:
            found.append(f"{symbol} is a sibling of a wrapped function: wrap it, or say in {NOT_WRAPPED} why not")
        elif not any(fnmatch.fnmatchcase(symbol, f) for f in families):
            found.append(f"{symbol}: wrap it, or list it in {NOT_WRAPPED} or {NO_PATH}")
    return found


def run(report, wrapped):
    symbols, reasons = libc_functions(libc_at_hand()), listed()
    words = [w for line in _lines(NO_PATH) for w in line.split()]
    report.check(f"each of libc's {len(symbols)} functions is wrapped ({len(wrapped & symbols)}), listed ({len(symbols & set(reasons))}) or takes no path",
                 unknown(symbols, wrapped, reasons, words) if len(symbols) > 1000 else ["read no symbols"])
    report.check("what is listed as not wrapped is not wrapped, and has a reason",
                 sorted(f"{n} is wrapped and listed" for n in wrapped & set(reasons))
                 + [f"{n}: no reason" for n, reason in reasons.items() if not reason])
    # The check itself: a path-taking newcomer of libc must be seen.
    new = {"openat3", "__openat_4", "stat_time64", "statx64"}
    report.check("a new function would be seen", sorted(n for n in new if not any(f.startswith(n) for f in unknown(symbols | new, wrapped, reasons, words))))
