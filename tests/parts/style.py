"""clang-format and clang-tidy, a case a file."""
import concurrent.futures
import json
import os

from lib import build, process
from parts import beside, builds, tree


def _each(report, what, names, argv):
    """A case a file, as many at once as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        jobs = {name: pool.submit(process.said, [*argv, name], 600, cwd=build.ROOT) for name in names}
        for name, job in jobs.items():
            code, text = job.result()
            if code == 0:
                report.ok(f"{what} {name}")
            else:
                report.bad(f"{what} {name}", text)


def layout(report):
    _each(report, "format", tree.cpp(), ["clang-format", "--dry-run", "-Werror"])


def _compiled(path):
    """The sources that a build directory compiles, relative to the project."""
    with open(os.path.join(path, "compile_commands.json"), encoding="utf-8") as f:
        return {os.path.relpath(os.path.join(c["directory"], c["file"]), build.ROOT) for c in json.load(f)}


def tidy(report):
    """Every file that the clang build compiles (headers by way of them)."""
    if beside.counted(report, "tidy") is not None:
        return None
    path = builds.clang(report)
    if not path:
        return report.bad("tidy: no clang build")
    compiled = _compiled(path)
    names = sorted(compiled & set(tree.cpp()))
    for name in sorted(n for n in set(tree.cpp()) - compiled if n.endswith(".cc")):
        report.bad(f"tidy {name}", "no target compiles it")
    _each(report, "tidy", names, ["clang-tidy", "--quiet", "--warnings-as-errors=*", "-p", path])
    return None
