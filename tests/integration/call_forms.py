"""Spellings of paths for calls.py: what is named, from where, and how. {R} is the directory under test, {O} one beside it, {B} what both
lie in; R is called "wb", O "out". In R: f (a script), bin, d (empty), n/with/deep; links lf -> f, ld -> n, dangling, loop, labs -> {R}/n,
lout -> {O}; fifo, sock, packets; odd names. In O: of. What README names as a limit is not among them: links outside that lead into R, relative
links that climb out of it, "lout/../wb"."""
import re

MOST, LONG = "l" * 255, "x" * 256
NAMES = ["f", "bin", "d", "n", "n/with", "n/with/deep", "lf", "ld", "ld/with/deep", "dangling", "dangling/x", "loop", "loop/x", "labs", "labs/with/deep",
         "lout", "lout/of", "lout/missing", "fifo", "sock", "packets", "sp ace", "new\nline", "per%41cent", "\udcff\udcfe", MOST, "missing",
         "missing/x", "f/x", "fifo/x", "d/new", "n/with/new", "new name"]
SLASHED = ["f/", "d/", "n/", "lf/", "ld/", "labs/", "lout/", "dangling/", "loop/", "missing/", "fifo/", "n/with//", "d/."]
SPELLED = ["{R}/./f", "{R}//f", "{R}/n/../f", "{R}/ld/../f", "{R}/labs/../f", "{R}/missing/../f", "{R}/f/../f", "{R}/n/./with/.././with/deep",
           "{R}/n/../missing", "{R}/d/..", "{R}/n/..", "{R}/n/.", "{R}/n/with/..", "{R}/./",
           "{R}//", "{R}/.", "{R}", "{R}/", "//{R}/f", "/.{R}/f", "{B}/./wb//f", "{B}//wb/n", "{O}/../wb/f", "{O}/../wb", "{O}/../wb/", "{O}/../wb/missing",
           "{O}/../wb/n/../f", "{O}/missing/../../wb/f", "{O}/of/../../wb/f", "{O}/of", "{O}/missing",   "{R}/../out/of", "{R}/../out/missing", "{R}/n/../../out/of",
           "{R}/../wb/f", "{R}/../wb", "{R}x", "{R}x/f", "{B}/wbx", "{R}/" + LONG, "{R}/d/" + LONG, "{R}/" + "x" * 5000, "/" + "x/" * 2500, LONG, "x" * 5000, ""]
PARENT = ["{R}/..", "{R}/../", "{R}/n/../..", "{B}", "{B}/"]
RELATIVE = {"R": ["f", "./f", ".", "./", "d", "d/", "n/with/deep", "lf", "ld/..", "labs", "lout/of", "dangling", "missing", "missing/x", "n/../f", "n/../../wb/f",
                  "../out/of", "../out/missing", "../wb/f", "../wb", "../wb/missing", "loop", "sp ace", "./new", "ld/../../out/of"],
            "N": ["../f", "..", "../", "../missing", "with/deep", "with/../../f", "../../out/of", "../../wb/f", "../../wb", "../../wb/n/with",
                  "../../out/../wb/f", "new", "../d/new", "."],
            "O": ["of", "../wb/f", "../wb", "../wb/", "../wb/missing", "../wb/n/../f", "../wb/n/../../out/of", "../wb/../out/of", "missing/../../wb/f", "./../wb/d/new", "new"]}
RELATIVE_PARENT = {"R": ["..", "../", "ld/../.."], "N": ["../..", "with/../../.."], "O": ["..", "../wb/.."]}
SHARE, TWINS = 2, 8
PLACES = {"R": "{R}", "N": "{R}/n", "O": "{O}"}
AT = ["f", "n", "d/new", "missing", "../out/of", "../wb/f", "", None, ".", "lf", "labs/with", "{R}/f", "{R}/missing", "{O}/../wb/f"]
AT_N = ["../f", "../../wb/f", "../../out/of", "with/deep", "..", "../missing"]
AT_O = ["../wb/f", "../wb/missing", "of", "../wb/n/../f", "../wb"]


class Form:
    """A working directory, a directory's descriptor and a path; what to say of it, and whether it names R's parent."""

    def __init__(self, cwd, dirfd, path, parent=False):
        self.cwd, self.dirfd, self.path, self.parent = cwd, dirfd, path, parent

    def __str__(self):
        path = "NULL" if self.path is None else repr(self.path if len(self.path) < 80 else f"{self.path[:20]}...({len(self.path)})")
        return f"cwd {self.cwd} dirfd {self.dirfd} {path}"


def _all():
    plain = [Form("{B}", "-", "{R}/" + name) for name in NAMES + SLASHED]
    plain += [Form("{B}", "-", path) for path in SPELLED + [None]]
    plain += [Form("{B}", "-", path, True) for path in PARENT]
    plain += [Form(PLACES[k], "-", path) for k, paths in RELATIVE.items() for path in paths]
    plain += [Form(PLACES[k], "-", path, True) for k, paths in RELATIVE_PARENT.items() for path in paths]
    at = [Form("{B}", "d{R}", path) for path in AT] + [Form("{B}", "d{R}", "..", True), Form("{O}", "p{R}", "f"), Form("{O}", "f{R}", "../out/of")]
    at += [Form("{B}", "d{R}/n", path) for path in AT_N] + [Form("{B}", "p{R}/n", "../../out/of"), Form("{B}", "f{R}/n", "../../out/of")]
    at += [Form("{R}", "d{O}", path) for path in AT_O] + [Form("{R}", "p{O}", "../wb/f")]
    at += [Form("{R}", fd, path) for fd in ("bad", "f{R}/f", "p{R}/f", "f{O}/of") for path in ("f", "", None, "{R}/f", "../wb/f")]
    return plain, at


PLAIN, AT_FORMS = _all()


def of_kind(kind):
    """Forms for an operation of that kind: 'p' takes a path, 'a' a directory's descriptor too, which is what varies then."""
    return PLAIN if kind == "p" else PLAIN[::4] + AT_FORMS


def cells(operations, turn):
    """(operation, Form), each function with the forms. The variants of a function take turns, and it meets a SHARE-th of the forms; those
    that are others' twins, and numbers of system calls, a TWINS-th. Another turn, another share; turn None: everything."""
    functions = {}
    for name in operations:
        functions.setdefault(re.split(r"[+]", name)[0] if name.startswith("syscall:") else name.split(":")[0], []).append(name)
    for number, (function, variants) in enumerate(functions.items()):
        forms = of_kind(operations[variants[0]])
        twin = function.startswith(("__", "syscall:")) or function.endswith("64")
        for place, form in enumerate(forms):
            if turn is None:
                yield from ((name, form) for name in variants)
            elif (place + number + turn) % (TWINS if twin else SHARE) == 0:
                yield variants[(place + turn) // SHARE % len(variants)], form
