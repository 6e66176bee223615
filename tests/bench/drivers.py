"""The compiled drivers of the benchmarks."""
import os

from lib import build, process


def driver(name):
    return os.path.join(build.BUILD, "tests", "bench", "bench_" + name)


def numbers(argv, env=None, **options):
    """The driver's medians in µs."""
    done = process.run(argv, 300, env=env or {"PATH": "/usr/bin:/bin"}, **options)
    if done.returncode:
        raise RuntimeError(f"{argv}: exit {done.returncode}: {done.stderr.decode()}")
    return [int(n) / 1000 for n in done.stdout.split()]
