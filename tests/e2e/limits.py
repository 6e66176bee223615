#!/usr/bin/env python3
"""README's Limits: every sentence is in the table below with the test that shows it. A sentence without a row fails, and a row
whose words README no longer has. What no other test shows is shown here.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, compiled, s3, stored, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402

# Words of a sentence → the tests that show it: "file: words in it".
SHOWN = {
    "static binaries, Go programs, setuid programs started by others, 32-bit programs": (
        "tests/e2e/mount.py: static programs write, rename and read", "tests/e2e/setuid_children.py: the loader drops the library",
        "tests/diff/programs.txt: == foreign-programs", "tests/e2e/doctor.py: programs: ordinary, static, setuid, for another machine"),
    "so they fail visibly": ("tests/e2e/setuid_children.py: fails visibly", "tests/e2e/mount.py: static programs write, rename and read"),
    "A symbolic link *outside* that leads into the prefix": ("tests/integration/links.py: looking through links into the prefix", "tests/e2e/limits.py: links that only the kernel resolves"),
    "A relative link *inside* that climbs out": ("tests/integration/links.py: relative links that climb out", "tests/e2e/limits.py: links that only the kernel resolves"),
    "are called by their names in the staging tree": ("tests/integration/leaks.py: limits: what is named by the tree", "tests/e2e/limits.py: what is not wrapped and can be felt"),
    "A directory above the prefix lists it only": ("tests/integration/leaks.py: limits: what is named by the tree",),
    "`<prefix>/.stats` is the library's": ("tests/e2e/metrics.py: .stats can be looked at, by every spelling, and nothing else",),
    "A file of that name that came into the tree": ("tests/e2e/limits.py: is hidden by it",),
    "they are rebuilt from the tree, and their files are uploaded again": ("tests/e2e/limits.py: Redis loses its records", "tests/e2e/flush_honesty.py: Redis emptied between two flushes"),
    "Objects of files that were deleted meanwhile": ("tests/e2e/limits.py: Redis loses its records",),
    "cannot be renamed or hard-linked into or out of the prefix": ("tests/diff/programs.txt: == mv-in-and-out", "tests/integration/calls.py: _CROSSES"),
    "a test holds it against the library at hand": ("tests/parts/surface.py: is wrapped",),
    "wildcards of `wordexp`": ("tests/e2e/limits.py: what is not wrapped and can be felt",),
    "is started without the library, which its loader would complain about": ("tests/diff/programs.txt: == foreign-programs", "tests/e2e/backstop.py: a static program"),
    "`verify_asan_link_order=0`": ("tests/diff/programs.txt: == sanitized-programs",),
    "FIFOs, sockets and devices work locally": ("tests/e2e/ctl.py: ls and status show FIFOs", "tests/e2e/backstop.py: FIFOs and sockets are none of it"),
    "A hard-linked file is stored once per name": ("tests/e2e/limits.py: a change through one of a file's names",),
    "O_TMPFILE": ("tests/e2e/limits.py: renamed after it got one",),
    "are found by the kernel's events": ("tests/e2e/backstop.py: a writer killed in the middle", "tests/e2e/backstop.py: too few watches", "tests/e2e/limits.py: truncate() by path"),
    "The events come by fanotify where": ("tests/e2e/backstop.py: no right to fanotify", "tests/unit/tools/uploader/tree_events_test.cc: busy with others"),
    "still open for writing is not uploaded": ("tests/e2e/lifecycle.py: that is open for writing", "tests/integration/uploads_test.cc: open for writing: postponed"),
    "a record may follow only with the next scan": ("tests/e2e/oracle.py: until the scan", "tests/integration/random_operations.py: left for the uploader"),
    "One client per volume, one user per staging directory": ("tests/e2e/uploader_life.py: a second uploader", "tests/e2e/bad_input.py: a staging directory of another user"),
    "in a named reduced mode": ("tests/unit/tools/uploader/selftest_test.cc: overlay", "tests/unit/tools/uploader/content_test.cc: reduced mode: only a quiet file"),
    "put the staging directory on tmpfs": ("tests/e2e/doctor.py: all is well",),
    "limited to 1,024 bytes by S3": ("tests/s3/store_conformance.py: 1024 bytes of key", "tests/e2e/limits.py: a path too long for a key"),
}


def sentences():
    with open(os.path.join(build.ROOT, "README.md"), encoding="utf-8") as file:
        text = re.search(r"^## Limits\n(.*?)^(?=\S)(?!- )", file.read() + "\n.", re.S | re.M).group(1)
    bullets = [" ".join(bullet.split()) for bullet in re.split(r"^- ", text, flags=re.M) if bullet.strip()]
    return [sentence for bullet in bullets for sentence in re.split(r"(?<=\.) (?=[A-Z`])", bullet)]


@case("every sentence has its test, and every test is there")
def _():
    found = sentences()
    expect(len(found) > 12, True, f"sentences: {found}")
    expect([s for s in found if not any(words in s for words in SHOWN)], [], "sentences without a test")
    expect([words for words in SHOWN if not any(words in s for s in found)], [], "rows without a sentence")
    missing = []
    for shown in SHOWN.values():
        for place in shown:
            name, _, words = place.partition(": ")
            with open(os.path.join(build.ROOT, name), encoding="utf-8") as file:
                text = file.read()
            if words not in (text.replace(place, "") if name == "tests/e2e/limits.py" else text):
                missing.append(place)
    expect(missing, [], "tests that are not there")
    print(f"    {len(found)} sentences, {sum(map(len, SHOWN.values()))} tests")


@case("links that only the kernel resolves: a visible error, never another file")
def _():
    with volume.Volume() as v:
        v.start_redis()
        p, outside = volume.PREFIX, os.path.join(v.base, "outside")
        os.mkdir(outside)
        v.sh(f"mkdir -p {p}/d/e; echo inside > {p}/f; ln -s {p}/f {outside}/in; ln -s ../../../beside {p}/d/e/climbs")
        for link in (outside + "/in", p + "/d/e/climbs"):
            done = v.run(["/bin/cat", link])
            expect((done.returncode, done.stdout) in ((1, b""), (0, b"inside\n")), True, f"cat {link}: {done}")
            expect(v.run(["/usr/bin/readlink", link]).returncode, 0, "readlink")
        expect(v.run(["/bin/cp", outside + "/in", v.base + "/copy"]).returncode in (0, 1), True, "cp")
        expect(v.disagreements(), [], "records")


FELT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <wordexp.h>
int main(int n, char** v) {
  wordexp_t words;
  Dl_info info;
  if (wordexp(v[1], &words, 0) == 0) printf("%zu %s\n", words.we_wordc, words.we_wordv[0]);
  void* library = dlopen(v[2], RTLD_NOW);
  puts(library && dladdr(dlsym(library, "answer"), &info) ? info.dli_fname : "not loaded");
  return n != 3;
}
"""


@case("what is not wrapped and can be felt: wildcards of wordexp, the name that dladdr tells")
def _():
    with volume.Volume() as v:
        v.start_redis()
        program = compiled.program(FELT, os.path.join(v.base, "felt"), "-ldl")
        library = compiled.program("int answer(void) { return 42; }", os.path.join(v.base, "answer.so"), "-shared", "-fPIC")
        p = volume.PREFIX
        v.sh(f"echo 1 > {p}/one; echo 2 > {p}/two; cp {library} {p}/lib.so")
        done = v.run([program, p + "/*o*", p + "/lib.so"])
        expect(done.stdout.decode().splitlines(), [f"1 {p}/*o*", v.tree + "/lib.so"], "as README says")
        expect(v.sh([program, v.base + "/answer*", p + "/lib.so"]).splitlines()[0], f"1 {v.base}/answer.so", "outside")


@case("a file called .stats that came into the tree without the library is hidden by it")
def _():
    with volume.Volume() as v:
        v.start_redis()
        v.sh("echo ours > $WBSHIM_PREFIX/beside")
        with open(os.path.join(v.tree, ".stats"), "w", encoding="ascii") as file:
            file.write("a stranger's\n")
        expect(v.sh("cat $WBSHIM_PREFIX/.stats 2>/dev/null | grep -c stranger || true").split(), ["0"], "lines of it that are seen")


@case("a change through one of a file's names reaches the object of the other with the next scan")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        p = volume.PREFIX
        v.sh(f"mkdir {p}/a {p}/b; echo one > {p}/a/f; ln {p}/a/f {p}/b/g")
        v.ctl_ok("flush")
        v.sh(f"echo two >> {p}/a/f")
        v.ctl_ok("flush")
        expect(v.disagreements(), [], "records")
        for name in ("a/f", "b/g"):
            with open(os.path.join(v.staging, "store", name), encoding="ascii") as file:
                expect(file.read(), "one\ntwo\n", f"the object of {name}")


@case("a file without a name, renamed after it got one: the scan finds what is written behind that")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        script = (f"import ctypes, os; f = os.open('{volume.PREFIX}', os.O_TMPFILE | os.O_WRONLY, 0o644); os.write(f, b'early ')\n"
                  f"assert ctypes.CDLL(None).linkat(-100, b'/proc/self/fd/%d' % f, -100, b'{volume.PREFIX}/f', 0x400) == 0\n"
                  f"os.rename('{volume.PREFIX}/f', '{volume.PREFIX}/g'); os.write(f, b'late'); os.close(f)")
        v.sh(["/usr/bin/python3", "-c", script])
        expect(sorted(v.records()), ["g"], "a record of its name")
        v.ctl_ok("flush")
        expect((v.disagreements(), v.records()["g"]["size"]), ([], 10), "records after a flush")


@case("truncate() by path without the library has no event: the scan finds it")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh(f"seq 100 > {volume.PREFIX}/f")
        wait.until(lambda: v.ctl_json("status")["uploader"]["status"]["counters"]["scans"] >= 1, 60, "the scan at start")
        os.truncate(os.path.join(v.tree, "f"), 10)
        v.ctl_ok("flush")
        expect((v.disagreements(), v.records()["f"]["size"]), ([], 10), "records after a flush")


@case("Redis loses its records: rebuilt from the tree; the object of what was deleted meanwhile stays")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        p = volume.PREFIX
        v.sh(f"echo 1 > {p}/kept; echo 2 > {p}/deleted")
        v.ctl_ok("flush")
        v.ctl_ok("stop")
        os.unlink(os.path.join(v.tree, "deleted"))
        v.start_redis()
        with v.redis() as redis:
            redis("FLUSHALL")
        v.start()
        v.ctl_ok("flush")
        expect((v.disagreements(), set(v.records())), ([], {"kept"}), "records")
        expect(os.path.exists(os.path.join(v.staging, "store", "deleted")), True, "the object stays")


@case("a path too long for a key becomes a dead letter; everything else is stored")
def _():
    with s3.Server("radosgw") as server, stored.StoredVolume(server, UPLOAD_DELAY="1h") as v:
        v.start()
        deep = "/".join(["n" * 200] * 5)
        v.sh(f"mkdir -p {volume.PREFIX}/{deep}; echo x > {volume.PREFIX}/{deep}/{'f' * 60}; echo y > {volume.PREFIX}/short")
        expect(v.ctl("flush").returncode, 1, "flush")
        expect((v.object("short") or [None])[0], b"y\n", "the object of another file")
        dead = v.ctl("status", "--json").stdout
        expect(b"KeyTooLong" in dead, True, f"the dead letter: {dead[-600:]!r}")


cases.main()
