#!/usr/bin/env python3
"""The kernel as the oracle: of every name that it saw change during a hostile run, two seconds later, the record says what the tree says."""
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, TESTS)
from lib import build, cases, compiled, load, process, recorder, volume, wait  # noqa: E402
from lib.cases import expect  # noqa: E402

WITHIN = 2  # seconds
PAUSE = threading.Event()
HOSTILE = os.path.join(build.BUILD, "tests", "integration", "hostile")
RANDOM = os.path.join(TESTS, "integration", "random_driver.py")
GIT = r"""cd $WBSHIM_PREFIX; export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init -q r; cd r; for i in $(seq 40); do mkdir -p d$((i % 5)); echo $i > d$((i % 5))/f$i; done; git add .; git commit -qm one
git checkout -qb other; git mv d1 e; git commit -qm two; git checkout -q -; git merge -q other; git gc -q; git checkout -q other~1; cd ..; git clone -q r s"""
MAKE = r"""cd $WBSHIM_PREFIX; cp -r $P/many m; cd m; sh generate.sh 40; make -s -j4; rm -f *.o; make -s -j2"""


def judged(v, run, patience=None):
    """Runs it under the recorder. Returns the recorder and what is wrong when the time is over: two seconds after the kernel's last event,
    on a machine that is shown to be busy as many more as it is slower. patience: so many, and no more."""
    with load.Load() as busy:
        with recorder.Recorder(v.tree) as seen:
            run()
        expect(len(seen.named) > 0, True, "names in events")
        while True:
            asked = time.monotonic()
            wrong = seen.faults(v.records())
            allowed = patience or WITHIN * busy.factor()
            if not wrong or asked - seen.last > allowed:
                break
            PAUSE.wait(0.02)
    taken = asked - seen.last
    print(f"    {len(wrong)} records are wrong" if wrong else f"    right {max(taken, 0):.2f} s after the kernel's last event", f"({allowed:.1f} s allowed: {busy})")
    return seen, wrong


def astray(seen, fault):
    """A record below a name that is no directory any more."""
    return fault.startswith("a record of") and seen.stray(fault.split("'")[1])


def started(v):
    v.start()
    wait.until(lambda: v.ctl_json("status")["uploader"]["status"]["counters"]["scans"] == 1, 60, "the scan at start")


def right(run, races=False, **options):
    """races: processes rename the directories under the hands of others. What the library publishes then below a name that is gone by
    that time is README's limit "a record may follow only with the next scan (a flush scans)": counted, few, and gone after a flush."""
    with volume.Volume(UPLOAD_DELAY="1h", **options) as v:
        started(v)
        seen, wrong = judged(v, lambda: run(v))
        print(f"    {seen.events} events of {len(seen.named)} names")
        late = [fault for fault in wrong if races and astray(seen, fault)]
        if late:
            print(f"    {len(late)} records below names that are no directories any more, until the scan")
            expect(len(late) <= max(3, len(seen.named) // 5), True, f"a limit, not the rule: {late}")
        expect([fault for fault in wrong if fault not in late], [], f"records of {len(seen.named)} names; log:\n{v.log()}")
        if not races:
            expect(v.ctl_json("status")["uploader"]["status"]["counters"]["scans"], 1 + v.handovers(), "scans")
            return
        v.ctl_ok("flush")
        expect((seen.faults(v.records()), v.disagreements()), ([], []), "faults after a flush")


def hostile(v):
    for name in process.run([HOSTILE], 10).stdout.decode().split():
        os.mkdir(f"{v.tree}/{name}")
        done = v.run([HOSTILE, name, f"{volume.PREFIX}/{name}"], 60)
        expect((done.returncode, done.stderr), (0, b""), name)


def drivers(directories, envs, seed):
    children = [process.start(["/usr/bin/python3", "-B", RANDOM, directory, f"{seed}/{i}", "1000"], env=env, stderr=process.subprocess.PIPE)
                for i, (directory, env) in enumerate(zip(directories, envs))]
    for child in children:
        _, err = child.communicate(timeout=100)
        expect((child.returncode, err), (0, b""), "a driver's end")


def with_library(v, seed):
    drivers([volume.PREFIX] * 4, [v.program_env()] * 4, seed)


def without_library(v, seed):
    drivers([v.tree] * 4, [v.tool_env()] * 4, seed)


def mixed(v, seed):
    drivers([volume.PREFIX, v.tree] * 2, [v.program_env(), v.tool_env()] * 2, seed)


def of_seed(run):
    def case(**options):
        seed = os.environ.get("WBSHIM_SEED") or str(random.SystemRandom().randrange(10**9))
        print(f"    seed {seed}")
        right(lambda v: run(v, seed), races=run != without_library, **options)
    return case


def commands(text):
    env = {"P": os.path.join(TESTS, "diff", "projects")}
    return lambda v: v.sh("set -e\n" + text, env=env)


def bare_commands(text):
    def run(v):
        env = dict(v.tool_env(), P=os.path.join(TESTS, "diff", "projects"), WBSHIM_PREFIX=v.tree)
        done = process.run(["/bin/bash", "-ec", text], 120, env=env)
        expect(done.returncode, 0, f"bare: {done.stderr.decode()}")
    return run


def nobody_looks():
    """The oracle itself: without library and without watch it finds what is missing."""
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        preload = compiled.few_watches(os.path.join(v.base, "few.so"))
        v.start_redis()
        process.start([build.UPLOADER], env=dict(v.tool_env(), LD_PRELOAD=preload, WBTEST_WATCHES="none", WBSHIM_WATCH_BY="inotify"))
        wait.until(lambda: v.uploader_pid() and os.path.exists(os.path.join(v.staging, "run", "uploader.sock")), 60, "the uploader")
        wait.until(lambda: v.ctl_json("status")["uploader"]["status"]["counters"]["scans"] == 1, 60, "the scan at start")
        seen, wrong = judged(v, lambda: bare_commands(MAKE)(v), patience=WITHIN)
        present = [p for p in seen.named if os.path.lexists(os.path.join(v.tree, p))]
        expect(len(wrong), len(present), "names with a wrong record: all that are there")


cases.add("the oracle: nobody looks, and it says so", nobody_looks)
cases.add("hostile programs", lambda: right(hostile))
cases.add("make -j", lambda: right(commands(MAKE)))
cases.add("make -j, batch", lambda: right(commands(MAKE), META="batch"))
cases.add("make -j without the library", lambda: right(bare_commands(MAKE)))
cases.add("make -j without the library, by inotify", lambda: right(bare_commands(MAKE), WATCH_BY="inotify"))
cases.add("git", lambda: right(commands(GIT)))
cases.add("git without the library", lambda: right(bare_commands(GIT)))
cases.add("random operations of four processes", of_seed(with_library))
cases.add("random operations, batch", lambda: of_seed(with_library)(META="batch"))
cases.add("random operations without the library", of_seed(without_library))
cases.add("random operations without the library, by inotify", lambda: of_seed(without_library)(WATCH_BY="inotify"))
cases.add("random operations, two with and two without the library", of_seed(mixed))
cases.main()
