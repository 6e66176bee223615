#!/usr/bin/env python3
"""Python's own tests of files, directories and processes, with their temporary directory under the prefix.

Each module runs bare and under the prefix: the same tests pass, fail and are skipped. (Debian's libpython3.11-testsuite has no test_sqlite3.)
"""
import os
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, process, scratch, volume  # noqa: E402
from lib.cases import expect  # noqa: E402

MODULES = ("test_os", "test_posix", "test_shutil", "test_subprocess", "test_tempfile", "test_glob", "test_pathlib", "test_fileio",
           "test_mmap", "test_zipfile", "test_tarfile", "test_dbm")


def outcomes(path):
    """Test → passed, failed or skipped. Names hold process ids where a test is made up of its path."""
    found = {}
    for test in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in test} & {"failure", "error", "skipped"}
        found[test.get("name")] = min(kinds) if kinds else "passed"
    return found


def run(module, directory, home, env):
    report = os.path.join(home, "report.xml")
    env = dict(env, HOME=home, TMPDIR=directory, LC_ALL="C.UTF-8", PATH="/usr/bin:/bin", PYTHONDONTWRITEBYTECODE="1")
    script = f'mkdir -p "{directory}" && cd "{directory}" && exec /usr/bin/python3 -m test --junit-xml {report} --tempdir "{directory}" {module}'
    done = process.run(["/bin/bash", "-c", script], 300, env=env)
    if not os.path.exists(report):
        cases.fail(f"no report; exit {done.returncode}: {(done.stdout + done.stderr).decode(errors='replace')[-800:]}")
    return outcomes(report)


def compare(module):
    with scratch.directory() as home, scratch.directory(scratch.memory()) as bare:
        wanted = run(module, os.path.join(bare, "t"), home, {})
    with scratch.directory() as home, volume.Volume(WRITEBACK_MAX_SIZE="0") as v:
        v.start_redis()
        found = run(module, volume.PREFIX + "/t", home, v.program_env())
        expect(os.path.lexists(volume.PREFIX), False, f"{volume.PREFIX} exists")
        expect(len(v.records()) > 0, True, "records")
        expect(v.disagreements(), [], "records")
    differ = {name: (wanted.get(name), found.get(name)) for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)}
    expect(differ, {}, "tests that ended otherwise (bare, under the prefix)")
    expect(len(wanted) > 3, True, "tests of the module")
    passed = sum(outcome == "passed" for outcome in wanted.values())
    print(f"    {len(wanted)} tests, {passed} passed, {sum(o == 'skipped' for o in wanted.values())} skipped, on both sides")


for name in MODULES:
    cases.add(name, lambda name=name: compare(name), 600)
cases.main()
