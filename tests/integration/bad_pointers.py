#!/usr/bin/env python3
"""Calls with pointers that lead nowhere: under the prefix, and outside it with the library, the same answers as without."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, scratch, volume  # noqa: E402
from lib.cases import expect  # noqa: E402

DRIVER = os.path.join(build.BUILD, "tests", "integration", "bad_pointers")


def lines(run, directory):
    done = run([DRIVER, directory])
    expect((done.returncode, done.stderr.decode()), (0, ""), directory)
    return done.stdout.decode().splitlines()


def bare():
    with scratch.directory(scratch.memory()) as directory:
        return lines(lambda command: process.run(command, 120), directory)


def differences(wanted, got):
    return [f"{w} | {g}" for w, g in zip(wanted, got) if w != g] + [f"{len(wanted)} | {len(got)} lines"] * (len(wanted) != len(got))


@cases.case("the bare run answers, and most answers are errors")
def _():
    found = bare()
    expect(len(found) > 900, True, f"{len(found)} lines")
    expect(sum("EFAULT" in line for line in found) > 600, True, "EFAULT")


@cases.case("under the prefix")
def _():
    with volume.Volume() as v:
        v.start_redis()
        expect(differences(bare(), lines(lambda command: v.run(command, 120), volume.PREFIX)), [], "bare | under the prefix")
        expect(v.disagreements(), [], "records")


@cases.case("outside the prefix")
def _():
    with volume.Volume() as v, scratch.directory(scratch.memory()) as directory:
        expect(differences(bare(), lines(lambda command: v.run(command, 120), directory)), [], "bare | outside the prefix")
        expect(os.path.exists(v.staging), False, "a staging directory")


cases.main()
