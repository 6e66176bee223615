#!/usr/bin/env python3
"""Run the models and compare every verdict with the table: the simple version must be refuted, the rule must hold.

expected.txt holds a row per printed verdict:  verdict <TAB> model <TAB> scenario.  A scenario that is missing on either side
fails. `--long` adds the rows marked "long" in a fourth column: journal rotation with three appenders and two rotations
(1.5 million states, a quarter of a minute and 2 GB of memory).
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import cases, process  # noqa: E402

LONG = "--long" in sys.argv
VERDICT = re.compile(r"^(\S.*?)\s+(OK|VIOLATION|LIMIT)  states=\d+")


def expectations():
    """{model: {scenario: verdict}}"""
    table = {}
    with open(os.path.join(HERE, "expected.txt"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("#"):
                continue
            verdict, model, scenario, *long = line.rstrip("\n").split("\t")
            if LONG or not long:
                table.setdefault(model, {})[scenario] = verdict
    return table


_verdicts = {}


def verdicts(model):
    """What the model says, {scenario: verdict}; it runs once."""
    if model not in _verdicts:
        argv = ["/usr/bin/python3", "-B", os.path.join(HERE, model + ".py")] + (["--long"] if LONG else [])
        done = process.run(argv, timeout=300)
        if done.returncode:
            cases.fail(f"{model}.py: {done.stderr.decode()}")
        _verdicts[model] = {m[1]: m[2] for m in map(VERDICT.match, done.stdout.decode().splitlines()) if m}
    return _verdicts[model]


def declare():
    table = expectations()
    scripts = {f[:-3] for f in os.listdir(HERE) if f.endswith(".py")} - {"mc", "run"}
    cases.add("every model has expectations", lambda: cases.expect(sorted(scripts), sorted(table), "models and expected.txt"))
    for model, rows in table.items():
        cases.add(f"{model}: the scenarios are those of the table",
                  lambda model=model, rows=rows: cases.expect(sorted(verdicts(model)), sorted(rows), model), seconds=300)
        for scenario, verdict in rows.items():
            cases.add(f"{model}: {scenario}: {verdict}",
                      lambda m=model, s=scenario, v=verdict: cases.expect(verdicts(m).get(s), v, s), seconds=300)


sys.argv = [a for a in sys.argv if a != "--long"]
declare()
cases.main()
