"""tests/run --soak: what is needed is built, and tests/faults/soak.py runs for as long as was asked, seen as it goes."""
import os
import subprocess
import time

from lib import build, process
from parts import builds


def run(report, minutes):
    report.part = "soak"
    path = builds.ready(report, "gcc", builds.FAULTS)
    if not path:
        return report.bad("soak: no build")
    env = dict(os.environ, WBSHIM_BUILD=path, WBSHIM_TOOLS=path, WBSHIM_SOAK_SECONDS=str(minutes * 60))
    script = os.path.join(build.ROOT, "tests", "faults", "soak.py")
    start = time.monotonic()
    child = process.start(["/usr/bin/python3", "-B", script], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = []
    with child.stdout as lines:
        for line in lines:
            said.append(line.decode(errors="replace"))
            print(said[-1], end="", flush=True)
    return report.count("tests/faults/soak.py", child.wait(), "".join(said), time.monotonic() - start)
