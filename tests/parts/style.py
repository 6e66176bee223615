"""clang-format and clang-tidy, a case a file."""
import concurrent.futures
import json
import os

from lib import build, process
from parts import beside, builds, tree


def layout(report):
    for name in tree.cpp():
        report.command(f"format {name}", ["clang-format", "--dry-run", "-Werror", name])


def _compiled(path):
    """The sources that a build directory compiles, relative to the project."""
    with open(os.path.join(path, "compile_commands.json"), encoding="utf-8") as f:
        return {os.path.relpath(os.path.join(c["directory"], c["file"]), build.ROOT) for c in json.load(f)}


def tidy(report):
    """Every file that the clang build compiles (headers by way of them)."""
    if beside.report(report, "tidy") is not None:
        return None
    path = builds.clang(report)
    if not path:
        return report.bad("tidy: no clang build")
    compiled = _compiled(path)
    names = sorted(compiled & set(tree.cpp()))
    for name in sorted(n for n in set(tree.cpp()) - compiled if n.endswith(".cc")):
        report.bad(f"tidy {name}", "no target compiles it")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        jobs = {n: pool.submit(process.said, ["clang-tidy", "--quiet", "--warnings-as-errors=*", "-p", path, n], 600) for n in names}
        for name, job in jobs.items():
            code, text = job.result()
            if code:
                report.bad(f"tidy {name}", text)
            else:
                report.ok(f"tidy {name}")
    return None
