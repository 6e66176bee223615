"""Nothing is silenced in passing: every suppression in the tree stands in .suppressions with its reason.

A row:  file | text that silences | reason.  The text must occur in the file; a row that no longer applies fails too.
"""
import re

from parts import tree

LIST = ".suppressions"
_SILENCERS = [
    re.compile(r"NOLINT\w*(?:\([^)]*\))?"),
    re.compile(r"-Wno-[\w=+-]+"),
    re.compile(r"#\s*pragma\s+(?:GCC|clang)\s+diagnostic\s+ignored\s+\S+"),
    re.compile(r"no_sanitize\w*\s*\([^)]*\)"),
    re.compile(r"__attribute__\s*\(\(\s*no_sanitize\w*"),
    re.compile(r"\b(?:leak|race|vptr|undefined|deadlock|called_from_lib):\S+"),
    re.compile(r"\bsuppressions="),
]
_SOURCES = (".cc", ".h", ".c", ".def", "meson.build", ".sh")


def _found():
    for name in tree.files():
        if name == LIST or not (name.endswith(_SOURCES) or name.startswith(("tests/sanitizers/", "tests/parts/sanitizers"))):
            continue
        if name.startswith(("tests/diff/projects/", "tests/builds/projects/")):
            continue
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for silencer in _SILENCERS:
                for match in silencer.finditer(line):
                    yield name, number, match[0]


def _rows():
    try:
        lines = tree.text(LIST).splitlines()
    except FileNotFoundError:
        return []
    return [tuple(p.strip() for p in line.split("|", 2)) for line in lines if line.strip() and not line.startswith("#")]


def run(report):
    rows, found = _rows(), sorted(set(_found()))
    report.check("suppressions: every row has file, text and reason", [str(r) for r in rows if len(r) != 3 or not all(r)])
    listed = {(r[0], r[1]) for r in rows if len(r) == 3}
    report.check("suppressions: each in the tree is listed",
                 [f"{name}:{number}: {text}" for name, number, text in found
                  if not any(name == file and what in text for file, what in listed)])
    report.check("suppressions: each row still applies",
                 [f"{file} | {what}" for file, what in sorted(listed)
                  if not any(name == file and what in text for name, _, text in found)])
