#!/usr/bin/env python3
"""A project of 240 files and 50,000 lines, built by make, meson and ninja, cmake, autotools and libtool: bare, bare again, and under the
prefix, each time at the same path, so that names in the results agree. Every file must be the same, byte for byte; only what two
bare builds differ in may differ, there alone, and no object, archive, library or program is among that.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
from lib import cases, process, scratch, tree, volume  # noqa: E402
from lib.cases import expect  # noqa: E402
import generate_tree  # noqa: E402

# name, commands, the least number of files that they make
BUILDS = [
    ("make", "make -s -j2; make/prog", 240),
    ("meson and ninja", "meson setup b > log; ninja -j2 -C b > /dev/null; b/prog; DESTDIR=$PWD/dest meson install -C b > log2", 130),
    ("cmake", "cmake -S . -B c -DCMAKE_BUILD_TYPE=Debug > log; make -s -j2 -C c > /dev/null; c/prog; c/json", 130),
    ("autotools and libtool", "mkdir a; cp -r configure.ac Makefile.am src include a; cd a; autoreconf -fi > log 2>&1; ./configure -q CFLAGS=-g > log2 2>&1; "
                              "make -s -j2 > /dev/null 2>&1; ./part; make -s install DESTDIR=$PWD/dest > log3 2>&1", 100),
]
FIXED = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "1000000000", "USER": "user", "CCACHE_DISABLE": "1"}


def build(commands, place, env):
    """Runs them in that directory, which holds the sources. What they print."""
    done = process.run(["/bin/bash", "-ec", f"cd {place}\n{commands}"], 600, env=dict(FIXED, **env), cwd="/")
    expect((done.returncode, done.stderr), (0, b""), "the build: " + done.stdout.decode(errors="replace")[-500:])
    return done.stdout


def in_place(text, place, other, third):
    """Whether the third text differs from the first only in lines in which the second does too. Lists, as those of parallel jobs,
    may come in any order."""
    lines = [part.split(b"\n") for part in (text, other, third)]
    if b"\0" in text:
        return len(text) and abs(len(text) - len(third)) <= max(64, abs(len(text) - len(other)) * 4)
    if len(lines[0]) != len(lines[1]) or len(lines[0]) != len(lines[2]):
        return abs(len(lines[0]) - len(lines[2])) <= max(8, 2 * abs(len(lines[0]) - len(lines[1])))
    same = {a for a, b in zip(*lines[:2]) if a == b}
    return not same - set(lines[2])


def product(entry):
    return entry.text[:4] in (b"\x7fELF", b"!<ar")


def differences(one, two, three):
    """(sentences, names of the files in which two bare builds differ)"""
    wrong = [f"{path!r} is only on some sides" for path in sorted(set(one) ^ set(three)) if (path in one) == (path in two)]
    varying = []
    for path in sorted(set(one) & set(two) & set(three)):
        a, b, c = (side[path] for side in (one, two, three))
        if a.facts() == b.facts():
            if a.facts() != c.facts():
                wrong.append(f"{path!r}: bare twice {a.facts()}, under the prefix {c.facts()}")
            continue
        varying.append(path)
        if product(a):
            wrong.append(f"{path!r}: two bare builds of an object, archive or program differ")
        elif (a.kind, a.mode, a.target) != (c.kind, c.mode, c.target) or not in_place(a.text, path, b.text, c.text):
            wrong.append(f"{path!r} differs in more than two bare builds do")
    return wrong, varying


def compare(commands, least):
    with scratch.directory(scratch.memory(), "wbsame-") as base:
        place = base + "/p"
        sides, said = [], []
        for number in range(2):
            os.mkdir(place)
            generate_tree.generate(place)
            said.append(build(commands, place, {"HOME": base}))
            sides.append(tree.snapshot(place))
            os.rename(place, f"{base}/bare{number}")
        with volume.Volume(PREFIX=place, UPLOAD_DELAY="1s") as v:
            v.start()
            v.sh(["/usr/bin/python3", "-B", os.path.join(HERE, "generate_tree.py"), place])
            said.append(build(commands, place, {k: w for k, w in v.program_env().items() if k not in FIXED}))
            expect(os.path.lexists(place), False, "the prefix exists")
            third = tree.snapshot(v.tree, [(v.tree.encode(), place.encode())])
            leaks = [path for path, entry in third.items() if entry.kind == "f" and v.staging.encode() in entry.text]
            expect(leaks, [], "files with the staging directory's name")
            v.ctl_ok("flush", timeout=300)
            expect(v.disagreements(), [], "records")
    expect((said[1], said[2]), (said[0], said[0]), "what the builds printed")
    wrong, varying = differences(sides[0], sides[1], third)
    made = [p for p, e in third.items() if e.kind == "f"]
    products = sum(product(third[p]) for p in made)
    print(f"    {len(made)} files, {sum(third[p].size for p in made)} bytes, {products} of them objects, archives and programs; two bare builds differ in"
          f" {len(varying)}: {', '.join(varying[:12])}")
    expect(wrong, [], "differences")
    expect(len(made) > 240 + least and products > least // 4 and len(varying) < len(made) // 20, True, "a build worth the name")


def comparison_sees():
    """The comparison itself: a byte of an object, a line of a log that two bare builds agree on, a file too many."""
    def side(**files):
        return {name: tree.Entry("f", 0o644, len(text), str(hash(text)), text=text) for name, text in files.items()}
    one, two = side(o=b"\x7fELF1", log=b"same\ntime 1\n"), side(o=b"\x7fELF1", log=b"same\ntime 2\n")
    expect(differences(one, two, side(o=b"\x7fELF1", log=b"same\ntime 3\n")), ([], ["log"]), "as two bare builds differ")
    for third in (side(o=b"\x7fELF2", log=b"same\ntime 3\n"), side(o=b"\x7fELF1", log=b"else\ntime 3\n"), side(o=b"\x7fELF1", log=b"same\ntime 3\n", x=b""),
                  side(log=b"same\ntime 3\n")):
        expect(len(differences(one, two, third)[0]), 1, "what is said of a difference")


cases.add("the comparison sees what differs", comparison_sees)
for title, script, count in BUILDS:
    cases.add(title, lambda script=script, count=count: compare(script, count), 1200)
cases.main()
