"""How big files and functions are: printed, with the house rules as cases."""
import re
import statistics

from parts import tree

HALF_OF_FILES = 165      # lines: half of the files are shorter
ANY_FILE = 500
MOST_FUNCTIONS = 80      # lines: 95 % of the functions are shorter
PYTHON_FILE = 350
_START = re.compile(r"^(?!namespace|class|struct|enum|union|extern|#|//|\}|\s|$).*")


def functions(text):
    """Lengths of the function bodies at column 0 (the sources are clang-formatted)."""
    lengths, begin = [], None
    for number, line in enumerate(text.splitlines()):
        if begin is None and _START.match(line):
            begin = number
        if begin is not None and line.rstrip().endswith(";") and not line.startswith((" ", "\t", "}")):
            begin = None
        elif begin is not None and line.startswith("}"):
            lengths.append(number - begin + 1)
            begin = None
    return lengths


def run(report):
    lines = {n: tree.text(n).count("\n") for n in tree.cpp()}
    if not lines:
        return report.bad("sizes: there are no C++ files")
    bodies = sorted(length for n in lines if n.endswith((".cc", ".c")) for length in functions(tree.text(n)))
    median = statistics.median(lines.values())
    share = sum(b < MOST_FUNCTIONS for b in bodies) / len(bodies) if bodies else 1
    longest = sorted(lines, key=lines.get)[-3:]
    print(f"  {len(lines)} C++ files: median {median:.0f} lines, longest {', '.join(f'{n} {lines[n]}' for n in longest)};"
          f" {len(bodies)} functions: {share:.1%} under {MOST_FUNCTIONS} lines, longest {bodies[-1] if bodies else 0}")
    report.check(f"half of the files are under {HALF_OF_FILES} lines", [] if median < HALF_OF_FILES else [f"median {median}"])
    report.check(f"no file is over {ANY_FILE} lines", [f"{n}: {c}" for n, c in lines.items() if c > ANY_FILE])
    report.check(f"95 % of the functions are under {MOST_FUNCTIONS} lines", [] if share >= 0.95 else [f"{share:.1%}"])
    report.check(f"python files are under {PYTHON_FILE} lines",
                 [f"{n}: {c}" for n in tree.files() if n.endswith(".py") and (c := tree.text(n).count("\n")) > PYTHON_FILE])
    return None
