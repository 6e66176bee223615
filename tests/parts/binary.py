"""What libwbshim.so exports, needs and runs at load, against its table."""
import re
import subprocess

from lib import build
from parts import surface, tree

TABLE = "shim/entry_points.def"
_ROW = re.compile(r"^\s*WB_FN\w*\s*\((.*)", re.M)
_NEEDED_ALLOWED = {"libc.so.6"}
_LOADER = re.compile(r"ld-linux.*\.so\.\d+")


def _read(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def table_names():
    """The names of the rows: the second argument, behind a return type that may hold commas only inside parentheses."""
    names = set()
    for rest in _ROW.findall(tree.text(TABLE)):
        depth, parts = 0, [""]
        for c in rest:
            depth += (c in "([<") - (c in ")]>")
            if c == "," and depth == 0:
                parts.append("")
            else:
                parts[-1] += c
        names.add(parts[1].strip())
    return names


def exported():
    """Defined dynamic symbols, without versions."""
    lines = _read("nm", "-D", "--defined-only", build.LIBRARY).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.split()[-2] not in ("A",)}


def run(report):
    try:
        rows, symbols = table_names(), exported()
    except (OSError, subprocess.CalledProcessError) as e:
        return report.bad("read the library and its table", str(e))
    report.check("every exported symbol is a row of the table", [f"{s} is exported, not in {TABLE}" for s in sorted(symbols - rows)])
    report.check("every row of the table is exported", [f"{s} is in {TABLE}, not exported" for s in sorted(rows - symbols)])
    surface.run(report, rows)
    dynamic = _read("readelf", "-dW", build.LIBRARY)
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    report.check("needs libc.so.6 alone", sorted(n for n in needed - _NEEDED_ALLOWED if not _LOADER.fullmatch(n))
                 + [f"does not need {n}" for n in _NEEDED_ALLOWED - needed])
    undefined = {line.split()[-1].split("@")[0] for line in _read("nm", "-D", "--undefined-only", build.LIBRARY).splitlines()}
    report.check("no C++ run time, no lazy thread-local storage",
                 sorted(s for s in undefined if s.startswith("_Z") or s in ("__tls_get_addr", "__cxa_thread_atexit", "__gxx_personality_v0")))
    everything = _read("nm", "-C", build.LIBRARY)
    report.check("no static constructors or destructors",
                 re.findall(r".*(?:_GLOBAL__sub_|__static_initialization_and_destruction).*", everything))
    starters = _init_functions()
    report.check("at load runs our one constructor only",
                 [] if len(starters) <= 1 else [f".init_array: {', '.join(starters)}"])
    return None


def _init_functions():
    """Names behind .init_array and .fini_array, without the compiler's own two."""
    sections = _read("readelf", "-SW", build.LIBRARY)
    spans = [(int(a, 16), int(a, 16) + int(s, 16))
             for a, s in re.findall(r"\.(?:init|fini)_array\s+\S+\s+([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+)", sections)]
    names = {int(line.split()[0], 16): line.split()[2] for line in _read("nm", build.LIBRARY).splitlines() if len(line.split()) == 3}
    found = []
    for place, addend in re.findall(r"^([0-9a-f]+)\s+\S+\s+R_\S+_RELATIVE\s+([0-9a-f]+)", _read("readelf", "-rW", build.LIBRARY), re.M):
        if any(low <= int(place, 16) < high for low, high in spans):
            found.append(names.get(int(addend, 16), addend))
    return sorted(set(found) - {"frame_dummy", "__do_global_dtors_aux"})
