"""What must hold of the tree and of the built library: a case a rule."""
import os
import re
import subprocess

from lib import build
from parts import binary, builds, includes, sizes, suppressions, tree

TOP_LEVEL = re.compile(r"\.[^/]+|meson\.build|meson_options\.txt|shim|core|tools|tests|README\.md|ARCHITECTURE\.md|CONTRIBUTING\.md|CHANGELOG\.md")


def run(report):
    report.check("top level holds what the layout allows",
                 sorted({n.split("/")[0] for n in tree.files() if not TOP_LEVEL.fullmatch(n.split("/")[0])}))
    report.check("include directions", includes.directions())
    report.check("third-party headers only in their wrapper", includes.third_party())
    report.check("libstdc++ stays out of what the library links", includes.freestanding())
    suppressions.run(report)
    sizes.run(report)
    _scripts(report)
    report.check("a script of cases can be executed: a part runs none that cannot", _not_executable())
    path = builds.gcc(report)
    if not path:
        return report.bad("structure: no build")
    binary.run(report)
    return _options_table(report)


def _scripts(report):
    """Every script parses."""
    for name in tree.files():
        path = os.path.join(build.ROOT, name)
        first = tree.text(name).split("\n", 1)[0]
        if name.endswith(".py") or ("python3" in first and first.startswith("#!")):
            try:
                compile(tree.text(name), name, "exec")
                report.ok(f"parses {name}")
            except SyntaxError as e:
                report.bad(f"parses {name}", str(e))
        elif re.match(r"#!.*\b(ba)?sh\b", first):
            report.command(f"parses {name}", ["bash", "-n", path])


def _not_executable():
    return [name for name in tree.files() if name.startswith("tests/") and re.search(r"^\s*cases\.main\(\)", tree.text(name), re.M)
            and not os.access(os.path.join(build.ROOT, name), os.X_OK)]


def _options_table(report):
    """README shows the table that the option rows print."""
    done = subprocess.run([build.SHIM_CTL, "config", "--markdown"], capture_output=True, text=True, check=False)
    table = done.stdout.strip()
    if done.returncode or not table:
        return report.bad("shim-ctl config --markdown prints the option table", done.stderr)
    report.ok("shim-ctl config --markdown prints the option table")
    try:
        readme = tree.text("README.md")
    except FileNotFoundError:
        readme = ""
    missing = [line for line in table.splitlines() if line not in readme]
    return report.check("README shows the option table", missing or ([] if table in readme else ["the rows stand in another order"]))
