#!/usr/bin/env python3
"""Several processes do random things to a few names at once; afterwards Redis must say exactly what the tree says.

Every case prints its seed; WBSHIM_SEED repeats one.
"""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import cases, process, volume, wait  # noqa: E402
from lib.cases import expect  # noqa: E402

PROCESSES, STEPS = 4, 420  # times six rounds: over 10,000 steps a run


def one_round(seed, **options):
    print(f"    seed {seed}")
    with volume.Volume(UPLOAD_DELAY="1h", **options) as v:
        v.start()
        env = v.program_env()
        children = [process.start(["/usr/bin/python3", "-B", os.path.join(HERE, "random_driver.py"), volume.PREFIX, f"{seed}/{i}", str(STEPS)],
                                  env=env, stderr=process.subprocess.PIPE) for i in range(PROCESSES)]
        for child in children:
            _, err = child.communicate(timeout=100)
            expect((child.returncode, err.decode()), (0, ""), "a driver's end")
        # Names that other processes moved, or led through links they replaced, in the middle of a call are the scan's to mend:
        # a flush looks at the whole tree.
        if v.disagreements():
            print(f"    {len(v.disagreements())} left for the uploader")
            v.ctl_ok("flush")
            try:
                wait.until(lambda: not v.disagreements(), 60, "the records")
            except TimeoutError:
                pass
        expect(v.disagreements(), [], "records against the tree")
        expect(len(v.snapshot()) > 3, True, "something is left")


given = os.environ.get("WBSHIM_SEED")
for number in range(1 if given else 3):
    seed = given or str(random.SystemRandom().randrange(10**9))
    cases.add(f"sync {number}", lambda seed=seed: one_round(seed))
    cases.add(f"batch {number}", lambda seed=seed: one_round(seed, META="batch"))
cases.main()
