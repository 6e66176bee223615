"""Short runs of the fuzz targets (tests/fuzz), which must find nothing, and be able to find something.

A target starts from its corpus (tests/fuzz/corpus/<target>). Its edges are compared with those of a run that has no input at all: a target
that reaches nothing fails, and so does one that is too slow to try much. A longer run, with what it finds kept for the corpus:
    build/ci-clang/tests/fuzz/fuzz_<target> -max_total_time=600 NEW_DIRECTORY tests/fuzz/corpus/<target>
"""
import concurrent.futures
import glob
import os
import re
import shutil

from lib import build, process, scratch
from parts import builds

SECONDS = 6
EXECUTIONS = 100000     # a slow machine gets longer for them
MORE_SECONDS = 240
NEW_EDGES = 50          # over no input; the smallest parser here has more than twice as many
CORPUS_BYTES = 300000
CANARY = "canary"       # has a mistake on purpose
SOURCES = os.path.join(build.ROOT, "tests", "fuzz")
_ENVIRONMENT = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
_COVERED = re.compile(r"^#\d+\s+(INITED|DONE)\s+cov: (\d+)", re.M)


def targets():
    return sorted(os.path.basename(f)[:-3] for f in glob.glob(os.path.join(SOURCES, "*.cc")))


class Run:
    """One start of a target in a directory of its own."""

    def __init__(self, program, directory, *arguments, seconds):
        argv = [program, "-print_funcs=0", "-print_pcs=0", "-print_final_stats=1", "-max_len=2048", "-timeout=20",
                "-detect_leaks=0", *arguments]  # leaks are looked for at the end
        self.done = process.run(argv, seconds + 120, cwd=directory, env=dict(os.environ, **_ENVIRONMENT))
        self.text = self.done.stderr.decode(errors="replace")
        self.edges = {kind: int(cov) for kind, cov in _COVERED.findall(self.text)}
        found = re.search(r"number_of_executed_units: (\d+)", self.text)
        self.executions = int(found[1]) if found else 0
        self.seed = (re.findall(r"Seed: (\d+)", self.text) or ["?"])[0]

    def finding(self, directory):
        """What the run found, with the input, as text."""
        inputs = [f"{os.path.basename(f)}: {open(f, 'rb').read()[:400]!r}" for f in glob.glob(os.path.join(directory, "*-*"))]
        return "\n".join([f"exit {self.done.returncode}, seed {self.seed}", *inputs, self.text[-3500:]])


def _fuzz(program, name):
    """Problems of that target, and the line about it."""
    with scratch.directory(scratch.memory()) as directory:
        for sub in ("none", "corpus"):
            os.mkdir(os.path.join(directory, sub))
        for seed in glob.glob(os.path.join(SOURCES, "corpus", name, "*")):
            shutil.copy(seed, os.path.join(directory, "corpus"))
        nothing = Run(program, directory, "-runs=0", "none", seconds=5)
        base = nothing.edges.get("INITED", 0)
        run = Run(program, directory, f"-max_total_time={SECONDS}", "corpus", seconds=SECONDS)
        executions, seeds = run.executions, run.edges.get("INITED", 0)
        if not run.done.returncode and executions < EXECUTIONS:
            run = Run(program, directory, f"-runs={EXECUTIONS - executions + 1000}", f"-max_total_time={MORE_SECONDS}", "corpus",
                      seconds=MORE_SECONDS)
            executions += run.executions
        edges = run.edges.get("DONE", 0)
        line = f"{name}: {executions} executions, {edges - base} edges more than the {base} of no input ({seeds - base} by the corpus)"
        if run.done.returncode:
            return [run.finding(directory)], f"{name}: a finding after {executions} executions"
        problems = [f"fewer than {EXECUTIONS} executions"] * (executions < EXECUTIONS)
        problems += [f"fewer than {NEW_EDGES} new edges: it reaches nothing"] * (edges - base < NEW_EDGES)
        problems += ["its corpus reaches nothing"] * (seeds <= base)
        return [f"{line}: {problem}" for problem in problems], line


def _canary(program):
    """The mistake must be found from a seed that is near it."""
    with scratch.directory(scratch.memory()) as directory:
        os.mkdir(os.path.join(directory, "corpus"))
        shutil.copy(os.path.join(SOURCES, "corpus", CANARY, "near"), os.path.join(directory, "corpus"))
        run = Run(program, directory, "-max_total_time=30", "corpus", seconds=30)
        return [] if run.done.returncode and "the canary lives" in run.text else [run.text[-1000:]]


def run(report):
    path = builds.clang(report)
    if not path:
        return report.bad("fuzz: no build")
    names = targets()
    size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(SOURCES, "corpus", "*", "*")))
    report.check(f"the corpus is under {CORPUS_BYTES} bytes", [] if size < CORPUS_BYTES else [str(size)])
    programs = {name: os.path.join(path, "tests", "fuzz", "fuzz_" + name) for name in names}
    report.check("the canary is found", _canary(programs.pop(CANARY)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = {name: pool.submit(_fuzz, program, name) for name, program in programs.items()}
        for name, job in jobs.items():
            problems, line = job.result()
            print("  " + line, flush=True)
            report.check(f"fuzz {name}", problems)
    return None
