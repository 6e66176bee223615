#!/usr/bin/env python3
"""Whole builds under the prefix with a real S3 server behind: results as on a bare directory, then every object against the tree."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import build, cases, s3, stored, volume  # noqa: E402
from lib.cases import expect  # noqa: E402

PROJECTS = os.path.join(os.path.dirname(HERE), "diff", "projects")

# name, options of the volume, the build's commands; it starts in an empty directory under the prefix and prints a result
BUILDS = [
    ("bash and make", {}, "cp -r $P/make m; cd m; make -s; ./hello; make -s install DESTDIR=../dest; ../dest/bin/hi"),
    ("make -j of 120 files", {}, "cp -r $P/many m; cd m; sh generate.sh 120; make -s -j4; ./all"),
    ("make -j of 120 files, batch", {"META": "batch"}, "cp -r $P/many m; cd m; sh generate.sh 120; make -s -j4; ./all"),
    ("gcc and ar by hand", {}, "cp $P/make/*.c .; echo '#define VERSION \"h\"' > version.h; gcc -g -O1 -c *.c; ar rcs l.a greet.o; gcc hello.o l.a -o p; strip p; ./p"),
    ("ninja", {}, "cp -r $P/ninja n; cd n; ninja > /dev/null; ./prog && echo fine"),
    ("meson", {}, "cp -r $P/meson m; meson setup b m > /dev/null; ninja -C b > /dev/null; b/prog; DESTDIR=$PWD/dest meson install -C b > /dev/null"),
    ("cmake with make", {}, "cp -r $P/cmake c; cmake -S c -B b > /dev/null; make -s -j2 -C b > /dev/null; b/prog"),
    ("cmake with ninja", {}, "cp -r $P/cmake c; cmake -G Ninja -S c -B b > /dev/null; ninja -C b > /dev/null; b/prog"),
    ("autoconf, automake, libtool", {}, "cp -r $P/autotools a; cd a; autoreconf -fi > /dev/null 2>&1; ./configure -q; make -s > /dev/null 2>&1; ./prog"),
    ("this library itself, meson and gcc", {"UPLOAD_DELAY": "2s"},
     "meson setup b $ROOT -Dtests=false > log; ninja -C b shim/libwbshim.so >> log || tail -20 log; nm -D b/shim/libwbshim.so | grep -c ' T '"),
]
server = s3.Server("radosgw")


def whole(commands, options):
    env = {"P": PROJECTS, "ROOT": build.ROOT, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    from lib import process, scratch
    with scratch.directory(scratch.memory()) as bare:
        done = process.run(["/bin/bash", "-ec", commands], 300, cwd=bare, env=dict(env, HOME=bare))
        expect(done.returncode, 0, f"the bare build: {done.stderr.decode()[-1000:]}")
    with stored.StoredVolume(server, **options) as v:
        v.start()
        result = v.sh(f"set -e; mkdir -p {volume.PREFIX}/w; cd {volume.PREFIX}/w\n" + commands, timeout=300, env=env)
        expect(result, done.stdout.decode(), "what the build printed last")
        v.ctl_ok("flush", timeout=300)
        v.wait_drained()
        entries = v.snapshot()
        expect(len(entries) > 4, True, f"{len(entries)} entries in the tree")
        expect(v.disagreements(), [], "records")
        expect(v.wrong_objects(), [], "objects")
        expect(os.path.lexists(volume.PREFIX), False, f"{volume.PREFIX} exists")
        print(f"    {len(entries)} entries, {len(v.stored_paths())} objects, {sum(e.size for e in entries.values() if e.kind == 'f')} bytes")


cases.add("radosgw starts", server.__enter__)
for name, options, commands in BUILDS:
    cases.add(name, lambda commands=commands, options=options: whole(commands, options), 900)
cases.add("radosgw stops", server.__exit__)
cases.main()
